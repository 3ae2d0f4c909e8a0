/** The page of all benches: docs/benchmarks/README.md and its plots. */
import { join } from 'node:path';
import { plot } from './plot.ts';
import { type BenchResults, nameOf, readResults, resultsPath, writeText } from './results.ts';
import { tables } from './table.ts';

const INTRODUCTION = `# Benchmarks

Written by \`hicache bench\`; the figures are in the JSON files beside it.

Every method makes the same pictures, from the same noise, and is compared with the full run: plain
Euler with every step computed. What counts is what it costs. So beside the methods that forecast
stand the plain ways to spend the same number of transformer calls: fewer steps.

- **computed**: steps that ran the transformer, mean.
- **FLOPs ×**: operations of the full run over the method's, transformer calls, heads, forecasts and
  verification counted as they were made (\`cli/lib/flops.ts\`).
- **denoise ×, total ×**: wall-clock of the full run over the method's, in the same sitting, median;
  total has the text encoders and the decoder too.
- **PSNR, SSIM**: of the pictures. Median, and in brackets the 10th percentile.
- **latent error**: relative L2 error of the final latents. Median, and in brackets the 90th
  percentile. So brackets always hold the worse side. The least median of a table is bold.
- **object, background**: share of pictures that show what was asked for, judged by
  \`training/evaluate.py\`.

How methods land on a budget, and who is favoured:

- HiCache, TaylorSeer, reuse and all others on an interval use the published schedule, with the
  interval and, where needed, the number of first steps that compute exactly the budget or the
  nearest below.
- "HiCache, best sigma in hindsight" is the best of the sigmas that were tried, 0.3 to 1 at most,
  **on these very prompts**, by the median latent error. Nobody can choose so beforehand: it favours
  the rival.
- Spectrum has its own schedule: five first steps, then windows from 2 that grow after each computed
  step. The growth (published: 0.75) is tuned to land on the budget; the schedule is not made for
  the smallest ones. "Chebyshev, interval" is its forecast on the interval schedule instead. It fits
  the anchors that the ring holds, six at most.
- "ours" goes by the bundle's calibration, which \`hicache calibrate\` made with other prompts. Its
  plans hold for the bundle's own timestep shift; at other shifts only its model of features serves.
- "ours by tolerance" chooses its compute steps itself. It is listed with the smallest budget that
  is not below their mean.
- The fixed list of prompts is a test set: nothing is tuned on it.

Make them again with \`npm run -s hicache -- bench --steps 28\`, with other steps and
shifts, and \`npm run -s hicache -- bench --render\` for this page alone.
`;

/** Writes the page and its plots from all result files of the folder; gives the page's path. */
export async function renderFolder(folder: string): Promise<string> {
  const all = await readResults(folder);
  for (const results of all) {
    await writeText(join(folder, plotName(results)), plot(results));
  }
  const page = join(folder, 'README.md');
  await writeText(page, [INTRODUCTION, ...all.map(section)].join('\n'));
  return page;
}

/** What a bench and its page write into the folder. */
export function renderedPaths(folder: string, results: Parameters<typeof nameOf>[0]): string[] {
  return [resultsPath(folder, results), join(folder, plotName(results)), join(folder, 'README.md')];
}

function section(results: BenchResults): string {
  const { steps, shift, backend, model, machine, prompts, size } = results;
  return [
    `## ${steps} steps, timestep shift ${shift}\n`,
    `${model.title}, ${size.width}x${size.height}, ${prompts.count} ${prompts.count === 1 ? 'prompt' : 'prompts'}, on ${backend.kind} (${backend.adapter}, ${backend.precision}); ${machine}.\n`,
    `![Median latent error against computed steps](${plotName(results)})\n`,
    tables(results),
  ].join('\n');
}

function plotName(results: Parameters<typeof nameOf>[0]): string {
  return `error-${nameOf(results)}.svg`;
}
