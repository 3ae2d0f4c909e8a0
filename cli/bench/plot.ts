/** Median latent error against computed steps as an SVG, one labelled line for each method. */
import type { Group } from './methods.ts';
import { PLOT, type Point, type Scales, scalesFor } from './scales.ts';
import type { BenchResults } from './results.ts';
import type { MethodResult } from './summary.ts';
import { byBudget, errorOf } from './table.ts';

const WIDTH = 1000;
const HEIGHT = 640;
const LABEL_X = PLOT.right + 44;
const LABEL_HEIGHT = 17;

type ShownGroup = Exclude<Group, 'reference'>;

/** Light and dark, by group; lines of a group take them in turn. */
const COLOURS: Readonly<Record<ShownGroup, readonly (readonly [light: string, dark: string])[]>> = {
  plain: [
    ['#374151', '#d1d5db'],
    ['#6b7280', '#9ca3af'],
  ],
  rival: [
    ['#1d4ed8', '#7aa7ff'],
    ['#0f766e', '#4fd1c0'],
    ['#6d28d9', '#b79bff'],
  ],
  ours: [
    ['#b91c1c', '#ff8a80'],
    ['#b45309', '#ffb454'],
    ['#a21caf', '#f09bf5'],
  ],
};

/** Lines of the same colour differ by these. */
const DASHES = ['', '7 4', '2 3', '10 3 2 3'] as const;

/** The family that this project is about. */
const BOLD = 'budget';

interface Series {
  readonly family: string;
  readonly label: string;
  readonly group: ShownGroup;
  readonly points: readonly Point[];
}

export function plot(results: BenchResults): string {
  const series = seriesOf(results);
  const points = series.flatMap((one) => one.points);
  const scale = scalesFor(points, results.budgets);
  const title = `Latent error, ${results.steps} steps, timestep shift ${results.shift}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${escape(title)}</title>`,
    style(),
    `<rect class="paper" width="${WIDTH}" height="${HEIGHT}" rx="8"/>`,
    text(PLOT.left, 28, title, 'class="title"'),
    text(PLOT.left, 48, 'Relative L2 error of the final latents against the full run, median', ''),
    ...axes(scale),
    ...lines(series, scale),
    '</svg>',
    '',
  ].join('\n');
}

/** By family, budget by budget, points by computed steps; errors that no logarithm has are left out. */
function seriesOf(results: BenchResults): Series[] {
  const families = new Map<string, MethodResult[]>();
  for (const method of byBudget(results).flatMap(({ methods }) => methods)) {
    families.set(method.family, [...(families.get(method.family) ?? []), method]);
  }
  return [...families].map(([family, methods]) => ({
    family,
    label: methods[0]!.label,
    group: methods[0]!.group as ShownGroup,
    points: methods
      .map((method) => ({ x: method.computed, y: errorOf(method) }))
      .filter(({ y }) => y > 0 && Number.isFinite(y))
      .toSorted((a, b) => a.x - b.x),
  }));
}

function axes({ x, y, ticks }: Scales): string[] {
  const below = PLOT.bottom + 20;
  return [
    ...ticks.errors.flatMap((error) => [
      line({ x: PLOT.left, y: y(error) }, { x: PLOT.right, y: y(error) }, 'class="grid"'),
      text(PLOT.left - 8, y(error) + 4, String(error), 'text-anchor="end"'),
    ]),
    ...ticks.computed.flatMap((computed) => [
      line({ x: x(computed), y: PLOT.top }, { x: x(computed), y: PLOT.bottom }, 'class="grid"'),
      text(x(computed), below, String(computed), 'text-anchor="middle"'),
    ]),
    text((PLOT.left + PLOT.right) / 2, below + 22, 'computed steps', 'text-anchor="middle"'),
  ];
}

function lines(series: readonly Series[], { x, y }: Scales): string[] {
  const used = { plain: 0, rival: 0, ours: 0 };
  const drawn = series
    .filter(({ points }) => points.length > 0)
    .map(({ family, label, group, points }) => {
      const n = used[group]++;
      const count = COLOURS[group].length;
      return {
        label,
        classes: `${group}-${n % count}${family === BOLD ? ' bold' : ''}`,
        dash: family === BOLD ? '' : DASHES[Math.floor(n / count) % DASHES.length]!,
        places: points.map((point) => ({ x: x(point.x), y: y(point.y) })),
      };
    });
  const labelYs = spreadApart(drawn.map(({ places }) => places.at(-1)!.y));
  return drawn.map(({ label, classes, dash, places }, i) => {
    const end = places.at(-1)!;
    const labelAt = { x: LABEL_X - 6, y: labelYs[i]! };
    return [
      `<g class="${classes}">`,
      `<polyline points="${places.map((place) => `${place.x},${place.y}`).join(' ')}" stroke-dasharray="${dash}"/>`,
      ...places.map((place) => `<circle cx="${place.x}" cy="${place.y}" r="3"/>`),
      line(end, labelAt, 'class="leader"'),
      text(LABEL_X, labelAt.y + 4, label, ''),
      '</g>',
    ].join('\n');
  });
}

/** Labels as near to their lines' ends as they can be without covering each other. */
export function spreadApart(wanted: readonly number[]): number[] {
  const order = wanted.map((_, i) => i).toSorted((a, b) => wanted[a]! - wanted[b]!);
  const placed = [...wanted];
  let lowest = PLOT.top - 20;
  for (const i of order) {
    placed[i] = Math.max(wanted[i]!, lowest);
    lowest = placed[i] + LABEL_HEIGHT;
  }
  let highest = PLOT.bottom + 20;
  for (const i of order.toReversed()) {
    placed[i] = Math.min(placed[i]!, highest);
    highest = placed[i] - LABEL_HEIGHT;
  }
  return placed;
}

/** Its own paper, so that it reads well on pages of either scheme. */
function style(): string {
  const groups = Object.entries(COLOURS);
  const scheme = (which: 0 | 1, paper: string, ink: string, grid: string): string =>
    [
      `.paper{fill:${paper}}text{fill:${ink}}.grid{stroke:${grid}}`,
      ...groups.flatMap(([group, colours]) =>
        colours.map(
          (colour, i) =>
            `.${group}-${i}{stroke:${colour[which]}}.${group}-${i} :is(circle,text){fill:${colour[which]}}`,
        ),
      ),
    ].join('');
  return [
    '<style>',
    'text{font:13px system-ui,sans-serif;stroke:none}.title{font-size:17px;font-weight:600}',
    'polyline{fill:none;stroke-width:2;stroke-linejoin:round}.leader{opacity:.45;stroke-width:1}',
    '.bold polyline{stroke-width:4}.bold text{font-weight:700}',
    scheme(0, '#ffffff', '#1f2937', '#e5e7eb'),
    `@media (prefers-color-scheme:dark){${scheme(1, '#111827', '#e5e7eb', '#2f3a4b')}}`,
    '</style>',
  ].join('\n');
}

function line(from: Point, to: Point, attributes: string): string {
  return `<line x1="${from.x}" y1="${from.y}" x2="${to.x}" y2="${to.y}" ${attributes}/>`;
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
