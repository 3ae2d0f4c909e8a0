import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line {
  readonly label: string;
  /** CSS colour; custom properties and light-dark() follow the page's scheme. */
  readonly color: string;
  /** `dots`: a line with a dot at each value. */
  readonly kind: 'line' | 'dots' | 'points' | 'bars';
  readonly dash?: readonly number[];
  readonly width?: number;
}

export interface Axis {
  readonly label: string;
  readonly format: (value: number) => string;
  readonly logarithmic?: boolean;
  readonly range?: readonly [min: number, max: number];
  /** Room beyond the outermost values, for their dots; for logarithmic axes a factor. */
  readonly margin?: number;
  /** Whether marks stand at whole numbers only. */
  readonly whole?: boolean;
}

interface ChartProps {
  readonly title: string;
  /** What it shows, for somebody who does not see it. */
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  /** Values of x, growing, then of each line; null where there is none. */
  readonly data: readonly (readonly (number | null)[])[];
}

/** Sizes of a chart in rem, so that it grows with the browser's text. */
const HEIGHT = 16.25;
const FONT = 0.75;
const X_AXIS = 1.9;
const Y_AXIS = 3.5;
const AXIS_LABEL = 1.25;
/** Between two marks, at least. */
const SPACE = { x: 3.1, y: 1.9 } as const;

/**
 * A uPlot chart with the page's colours and a legend of its own, which also reads the values under
 * the pointer. Axes and kinds of line are those of the first render; data and labels may change.
 */
export function Chart({ title, description, x, y, lines, data }: ChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const pointed = useSignal<number | null>(null);

  useEffect(() => {
    const element = holder.current!;
    const size = () => ({ width: element.clientWidth, height: HEIGHT * rem() });
    const chart = new uPlot(
      { ...optionsOf(element, x, y, lines, (index) => (pointed.value = index)), ...size() },
      dataOf(data),
      element,
    );
    plot.current = chart;
    const resized = new ResizeObserver(() => chart.setSize(size()));
    resized.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const recolor = () => chart.redraw(false);
    scheme.addEventListener('change', recolor);
    return () => {
      resized.disconnect();
      scheme.removeEventListener('change', recolor);
      chart.destroy();
    };
  }, []);

  // Before the frame is painted, so that a chart keeps up with the slider that moves it.
  useLayoutEffect(() => plot.current?.setData(dataOf(data)), [data]);

  const index = pointed.value;
  return (
    <div class="chart">
      <div ref={holder} class="plot" role="img" aria-label={`${title}. ${description}`} />
      <ul class="chart-legend">
        {lines.map((line, i) => (
          <li key={i}>
            <Key {...line} />
            {line.label}
            <span class="value">{valueText(index, data[i + 1], y)}</span>
          </li>
        ))}
        <li class="at">{index !== null && `${x.label} ${x.format(data[0]?.[index] ?? NaN)}`}</li>
      </ul>
    </div>
  );
}

function valueText(
  index: number | null,
  values: readonly (number | null)[] | undefined,
  { format }: Axis,
): string {
  const value = index === null ? null : values?.[index];
  return value === null || value === undefined ? '' : format(value);
}

/** How the line looks, in small. */
function Key({ color, kind, dash, width = 2 }: Line) {
  return (
    <svg class="line-key" viewBox="0 0 24 10" aria-hidden="true" style={{ color }}>
      {kind === 'bars' && <rect x="5" y="1" width="14" height="8" rx="1" fill="currentColor" />}
      {(kind === 'line' || kind === 'dots') && (
        <path
          d="M0 5h24"
          stroke="currentColor"
          stroke-width={width}
          stroke-dasharray={dash?.join(' ')}
        />
      )}
      {(kind === 'points' || kind === 'dots') && (
        <circle cx="12" cy="5" r="3" fill="currentColor" />
      )}
    </svg>
  );
}

function dataOf(data: ChartProps['data']): uPlot.AlignedData {
  return data as uPlot.AlignedData;
}

/** In CSS pixels. */
const rem = (): number => parseFloat(getComputedStyle(document.documentElement).fontSize);

function optionsOf(
  element: HTMLElement,
  x: Axis,
  y: Axis,
  lines: readonly Line[],
  onPoint: (index: number | null) => void,
): Omit<uPlot.Options, 'width' | 'height'> {
  const color = (css: string) => () => resolved(element, css);
  const unit = rem();
  const font = `${FONT * unit}px system-ui, sans-serif`;
  const axis = ({ label, format, whole }: Axis, along: keyof typeof SPACE): uPlot.Axis => ({
    label,
    font,
    labelFont: font,
    labelSize: AXIS_LABEL * unit,
    labelGap: 0,
    stroke: color('var(--muted)'),
    space: SPACE[along] * unit,
    grid: { stroke: color('var(--line)'), width: 1 },
    ticks: { stroke: color('var(--line)'), width: 1, size: 4 },
    values: (_, marks) => marks.map((mark: number | null) => (mark === null ? '' : format(mark))),
    ...(whole && { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500] }),
  });
  const scale = (axis: Axis): uPlot.Scale => ({
    time: false,
    ...(axis.logarithmic && { distr: 3 as uPlot.Scale.Distr.Logarithmic }),
    ...rangeOf(axis),
  });
  return {
    scales: { x: scale(x), y: scale(y) },
    axes: [
      { ...axis(x, 'x'), size: X_AXIS * unit },
      { ...axis(y, 'y'), size: Y_AXIS * unit },
    ],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false, points: { size: 8 } },
    series: [{}, ...lines.map((line) => seriesOf(line, color(line.color)))],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  };
}

function rangeOf({ logarithmic, range, margin }: Axis): Pick<uPlot.Scale, 'range'> {
  if (range) return { range: [...range] };
  if (margin === undefined) return {};
  return {
    range: (_, min, max) =>
      logarithmic ? [oneDigit(min / margin), max * margin] : [min - margin, max + margin],
  };
}

/** Rounded down to one digit: the lowest mark of a logarithmic axis stands at its end. */
function oneDigit(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(value));
  return magnitude * Math.floor(value / magnitude);
}

function seriesOf({ kind, dash, width = 2 }: Line, stroke: () => string): uPlot.Series {
  const look: Record<Line['kind'], uPlot.Series> = {
    line: { points: { show: false } },
    dots: { points: { show: true, size: 6, fill: stroke } },
    points: { paths: () => null, points: { show: true, size: 4, fill: stroke, space: 0 } },
    bars: {
      paths: uPlot.paths.bars!({ size: [1, Infinity], gap: 1 }),
      fill: stroke,
      points: { show: false },
    },
  };
  return { stroke, width, spanGaps: true, ...(dash && { dash: [...dash] }), ...look[kind] };
}

/** A canvas knows neither custom properties nor light-dark(); the style of an element does. */
function resolved(element: HTMLElement, css: string): string {
  element.style.color = css;
  return getComputedStyle(element).color;
}
