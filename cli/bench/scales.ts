/** Where computed steps and errors lie in the plot. */

/** Edges of the axes, in units of the picture. */
export const PLOT = { left: 64, right: 700, top: 64, bottom: 584 } as const;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Scales {
  readonly x: (computed: number) => number;
  readonly y: (error: number) => number;
  readonly ticks: { readonly computed: readonly number[]; readonly errors: readonly number[] };
}

/** Both logarithmic, so that a power law is a straight line. */
export function scalesFor(points: readonly Point[], budgets: readonly number[]): Scales {
  const xs = [...points.map(({ x }) => x), ...budgets];
  const most = Math.max(...xs);
  const beyond = [30, 40, 50, 70, 100, 200, 500, 1000];
  const computed = [
    ...budgets,
    ...beyond.filter((tick) => tick > 1.2 * Math.max(...budgets) && tick <= most),
  ];
  const ys = points.length > 0 ? points.map(({ y }) => y) : [0.1];
  const errors = niceErrors(Math.min(...ys), Math.max(...ys));
  const ticks = { computed, errors };
  return {
    x: logarithmic(Math.min(...xs) / 1.03, most * 1.03, PLOT.left, PLOT.right),
    y: logarithmic(errors[0]!, errors.at(-1)!, PLOT.bottom, PLOT.top),
    ticks,
  };
}

function logarithmic(
  least: number,
  most: number,
  from: number,
  to: number,
): (value: number) => number {
  const range = Math.log(most / least);
  return (value) => Math.round(10 * (from + (Math.log(value / least) / range) * (to - from))) / 10;
}

/** 1, 2 and 5 of every decade, from at most `least` to at least `most`. */
function niceErrors(least: number, most: number): number[] {
  const decades = Array.from({ length: 40 }, (_, i) => i - 20);
  const all = decades.flatMap((e) => [1, 2, 5].map((digit) => Number(`${digit}e${e}`)));
  const first = Math.max(
    0,
    all.findLastIndex((value) => value <= least),
  );
  const last = all.findIndex((value) => value >= most && value > all[first]!);
  return all.slice(first, last < 0 ? all.length : last + 1);
}
