/** `hicache convert`: makes a bundle from a FLUX.1 checkpoint, and checks one. */
import { join } from 'node:path';
import process from 'node:process';
import type { Manifest } from '../../src/bundle/manifest.ts';
import { bytesInWords } from '../../src/shared/bytes.ts';
import { reportOf } from '../../src/shared/errors.ts';
import {
  convert,
  type Conversion,
  type ConversionProgress,
  type ConversionReport,
  REPORT,
} from '../../src/convert/convert.ts';
import { type Lora, modelWithLoras } from '../../src/convert/checkpoint/lora.ts';
import type { ModelParts } from '../../src/convert/checkpoint/model-parts.ts';
import { openModel } from '../../src/convert/checkpoint/open-model.ts';
import { usualQuantization } from '../../src/convert/quantize/usual-quantization.ts';
import { TimeLeft } from '../../src/shared/time-left.ts';
import { CONVERT_HELP, type ConvertOptions, convertOptions } from '../lib/convert-options.ts';
import { openLora, openSources } from '../lib/convert-sources.ts';
import { type Deviations, measureDeviations } from '../lib/deviation.ts';
import { diskFolder } from '../../src/node/disk-folder.ts';
import { nodeSha256 } from '../../src/node/sha256.ts';
import { openGoldens } from '../lib/goldens.ts';
import { checkOutputFolder, writeOutput } from '../lib/outputs.ts';
import { ProgressLine } from '../lib/progress-line.ts';
import { verifyBundle } from '../lib/verify-bundle.ts';

/** Of the memory, what one piece of a tensor may take as float32; the rest is its copies and the engine. */
const PIECES = 48;

/** Throws `AppError`: `bad-request` for wrong arguments, else what `convert` and sources throw. */
export async function convertCommand(args: string[]): Promise<void> {
  const options = convertOptions(args);
  if (options.help) {
    process.stdout.write(CONVERT_HELP);
    return;
  }
  if (options.sources.length > 0) await convertSources(options);
  if (options.verify) {
    const graphs = await verifyBundle(options.out);
    console.log(`Verified: every hash agrees, and all ${graphs} graphs load.`);
  }
}

async function convertSources(options: ConvertOptions): Promise<void> {
  const { out, goldens } = options;
  await checkOutputFolder({ path: out, option: '--out' });
  // Read again when the conversion is done; that they can be is known before.
  if (goldens !== undefined) await openGoldens(goldens);
  const source = openSources(options.sources, options.token);
  const model = await merged(await openModel(source), options);
  const { manifest, report, notes } = await writeBundle(model, options);
  printSizes(manifest);
  printErrors(report);
  if (notes.length > 0) console.log(`\n${notes.join('\n')}`);
  if (goldens !== undefined) {
    const deviations = await measureDeviations(out, goldens);
    printDeviations(deviations);
    const extended = { ...report, deviations };
    await writeOutput(
      { path: join(out, REPORT), option: '--out' },
      `${JSON.stringify(extended, null, 2)}\n`,
    );
  }
  console.log(
    `\nNot calibrated: hicache calibrate --bundle ${out} finds where steps are best computed.`,
  );
}

async function merged(model: ModelParts, { loras }: ConvertOptions): Promise<ModelParts> {
  if (loras.length === 0) return model;
  const opened: Lora[] = [];
  for (const lora of loras) opened.push(await openLora(lora));
  return modelWithLoras(model, opened);
}

async function writeBundle(
  model: ModelParts,
  { out, quantization, memoryMiB }: ConvertOptions,
): Promise<Conversion> {
  const folder = diskFolder(out);
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop);
  try {
    return await convert(model, folder, {
      quantization: quantization ?? usualQuantization(model.configs.flux),
      chunk: Math.floor((memoryMiB * 2 ** 20) / 4 / PIECES),
      newHash: nodeSha256,
      signal: abort.signal,
      onProgress: progressPrinter(),
    });
  } catch (error) {
    if (reportOf(error).code === 'cancelled') process.stderr.write('\n');
    throw error;
  } finally {
    process.off('SIGINT', stop);
    await folder.close();
  }
}

function progressPrinter(): (progress: ConversionProgress) => void {
  const line = new ProgressLine();
  const timeLeft = new TimeLeft();
  return ({ what, readBytes, totalBytes }) => {
    const share = readBytes / totalBytes;
    const seconds = timeLeft.at(share);
    const rest = share < 1 && seconds !== null ? `, about ${Math.ceil(seconds / 60)} min left` : '';
    line.show(share, `${what}: ${Math.floor(100 * share)} % of ${bytesInWords(totalBytes)}${rest}`);
  };
}

/** One line per file, and the sum. */
function printSizes({ files }: Manifest): void {
  let total = 0;
  for (const [path, { bytes }] of Object.entries(files)) {
    console.log(`${String(bytes).padStart(12)}  ${path}`);
    total += bytes;
  }
  console.log(`${String(total).padStart(12)}  in all`);
}

/** The weights that quantization changed most. */
function printErrors({ weights }: ConversionReport): void {
  const worst = weights.toSorted((a, b) => b.relativeError - a.relativeError).slice(0, 5);
  if (worst.length === 0) return;
  console.log(`\nLargest errors of quantized weights, of ${weights.length} (${REPORT} has all):`);
  for (const { name, storage, relativeError } of worst) {
    console.log(`${(100 * relativeError).toFixed(2).padStart(6)} %  ${storage}  ${name}`);
  }
}

function printDeviations(deviations: Deviations): void {
  console.log('\nDeviation of the float32 graphs from PyTorch, worst case:');
  for (const [component, { cosine, relativeL2 }] of Object.entries(deviations)) {
    console.log(
      `${component.padEnd(8)}  cosine ${cosine.toFixed(7)}  relative L2 ${relativeL2.toExponential(2)}`,
    );
  }
}
