/** Results as Markdown. */
import type { BenchResults } from './results.ts';
import type { MethodResult } from './summary.ts';

/** What is compared at one budget. */
export interface BudgetGroup {
  /** Null for tolerances that compute more than every budget. */
  readonly budget: number | null;
  readonly methods: readonly MethodResult[];
}

/**
 * Results by budget. A tolerance has no budget; it is shown with the smallest one that is not
 * below its mean compute steps.
 */
export function byBudget({ budgets, methods }: BenchResults): BudgetGroup[] {
  const placed = (method: MethodResult): number | null =>
    method.budget ?? budgets.find((budget) => budget >= method.computed) ?? null;
  const others = methods.filter(({ group }) => group !== 'reference');
  return [...budgets, null]
    .map((budget) => ({
      budget,
      methods: withBestSigma(others.filter((method) => placed(method) === budget)),
    }))
    .filter((group) => group.methods.length > 0);
}

/**
 * Instead of all sigmas of a method the published one and the best of all, by the median latent
 * error of these very prompts. Nobody could have known it before, so it favours the method.
 */
export function withBestSigma(methods: readonly MethodResult[]): MethodResult[] {
  const sweep = methods.filter((method) => method.sweep);
  if (sweep.length < 2) return [...methods];
  const best = sweep.reduce((a, b) => (errorOf(b) < errorOf(a) ? b : a));
  const shown: MethodResult = {
    ...best,
    family: 'hermite-best',
    label: 'HiCache, best sigma in hindsight',
    note: `sigma ${best.cache.sigma}, ${best.note ?? ''}`,
  };
  return methods.flatMap((method) => {
    if (!method.sweep) return [method];
    return method.family === 'hermite' ? [method, shown] : [];
  });
}

/** Median; infinite where there is none. */
export function errorOf({ latentError }: MethodResult): number {
  return latentError.median ?? Infinity;
}

const fixed = (value: number | null, digits: number): string =>
  value === null ? '∞' : value.toFixed(digits);

/** The median and, in brackets, the worse side of the spread. */
const pair = (median: number | null, worse: number | null, digits: number): string =>
  `${fixed(median, digits)} (${fixed(worse, digits)})`;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const COLUMNS: readonly [title: string, cell: (result: MethodResult) => string][] = [
  ['method', ({ label, note }) => (note === undefined ? label : `${label} (${note})`)],
  ['computed', ({ computed }) => String(Number(computed.toFixed(1)))],
  ['FLOPs ×', ({ flopsRatio }) => fixed(flopsRatio, 2)],
  ['denoise ×', ({ denoiseRatio }) => fixed(denoiseRatio, 2)],
  ['total ×', ({ totalRatio }) => fixed(totalRatio, 2)],
  ['PSNR dB (p10)', ({ psnr }) => pair(psnr.median, psnr.p10, 1)],
  ['SSIM (p10)', ({ ssim }) => pair(ssim.median, ssim.p10, 4)],
  ['latent error (p90)', ({ latentError: e }) => pair(e.median, e.p90, 4)],
];

const ACCURACY_COLUMNS: typeof COLUMNS = [
  ['object', ({ accuracy }) => (accuracy ? percent(accuracy.object) : '-')],
  ['background', ({ accuracy }) => (accuracy ? percent(accuracy.background) : '-')],
];

/** One table; the least median latent error is bold. */
export function table(methods: readonly MethodResult[]): string {
  const judged = methods.some(({ accuracy }) => accuracy !== null);
  const columns = judged ? [...COLUMNS, ...ACCURACY_COLUMNS] : COLUMNS;
  const least = Math.min(...methods.map(errorOf));
  const rows = methods.map((method) =>
    columns.map(([title, cell]) =>
      title.startsWith('latent') && methods.length > 1 && errorOf(method) === least
        ? `**${cell(method)}**`
        : cell(method),
    ),
  );
  return markdown(
    columns.map(([title]) => title),
    rows,
  );
}

/** The first column is text, the others are numbers. */
function markdown(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = titles.map((title, c) =>
    Math.max(title.length, ...rows.map((row) => row[c]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))).join(' | ')} |`;
  const rule = widths.map((width, c) =>
    c === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return `${[line(titles), line(rule), ...rows.map(line)].join('\n')}\n`;
}

/** Everything of one bench but its plot, as on the terminal and in the README. */
export function tables(results: BenchResults): string {
  const [full] = results.methods;
  const parts = byBudget(results).flatMap(({ budget, methods }) => [
    `### ${budget === null ? 'More than every budget' : `${budget} of ${results.steps} steps computed`}\n`,
    table(methods),
  ]);
  return [
    `The full run takes ${full!.seconds.total.toFixed(2)} s, ${full!.seconds.denoise.toFixed(2)} s of it denoising${accuracyOf(full!)}.\n`,
    ...parts,
  ].join('\n');
}

function accuracyOf({ accuracy }: MethodResult): string {
  if (!accuracy) return '';
  return `; it gets ${percent(accuracy.object)} of the objects and ${percent(accuracy.background)} of the backgrounds right`;
}
