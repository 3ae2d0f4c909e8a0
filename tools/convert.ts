/** `convert`: makes a bundle from a diffusers FLUX pipeline folder. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Manifest } from '../src/bundle/manifest.ts';
import { AppError } from '../src/errors.ts';
import { convert } from '../src/onnx/convert.ts';
import { QUANTIZATIONS, type Quantization } from '../src/onnx/policy.ts';
import { measureDeviations, type Deviations } from './deviation.ts';
import { FolderSink, FolderSource } from './folder.ts';

const USAGE = `convert FOLDER --out BUNDLE [--quant ${QUANTIZATIONS.join('|')}] [--goldens DIR]`;

/** What conversion.json in the bundle's folder says. */
interface ConversionReport {
  readonly quantization: Quantization;
  readonly bytes: number;
  /** Of the float32 graphs on the CPU, from PyTorch in float32, if goldens were given. */
  readonly deviations?: Deviations;
}

/** Throws `AppError`: `bad-request` for wrong arguments, else what `convert` throws. */
export async function convertCommand(args: string[]): Promise<void> {
  const { folder, out, quantization, goldens } = parse(args);
  await mkdir(out, { recursive: true });
  const sink = new FolderSink(out);
  let what = '';
  let manifest: Manifest;
  try {
    manifest = await convert(new FolderSource(folder), sink, {
      quantization,
      onProgress(progress) {
        if (progress.what !== what) console.log(progress.what);
        what = progress.what;
      },
    });
  } finally {
    await sink.close();
  }
  const bytes = printSizes(manifest);
  const deviations = goldens === undefined ? undefined : await measureDeviations(out, goldens);
  if (deviations) printDeviations(deviations);
  const report: ConversionReport = { quantization, bytes, ...(deviations && { deviations }) };
  await writeFile(join(out, 'conversion.json'), `${JSON.stringify(report, null, 2)}\n`);
  console.log(
    `\nNot calibrated: hicache calibrate --bundle ${out} finds where steps are best computed.`,
  );
}

function parse(args: string[]): {
  folder: string;
  out: string;
  quantization: Quantization;
  goldens: string | undefined;
} {
  const wrong = (what: string): AppError => new AppError('bad-request', what, `Usage: ${USAGE}`);
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        out: { type: 'string' },
        quant: { type: 'string', default: 'mixed' },
        goldens: { type: 'string' },
      },
    });
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
  const [folder, ...more] = parsed.positionals;
  const { out, quant, goldens } = parsed.values;
  if (folder === undefined || more.length > 0) throw wrong('Give one pipeline folder.');
  if (out === undefined) throw wrong('Say with --out where the bundle is written.');
  const quantization = QUANTIZATIONS.find((known) => known === quant);
  if (!quantization) throw wrong(`--quant is one of ${QUANTIZATIONS.join(', ')}, not ${quant}.`);
  return { folder, out, quantization, goldens };
}

/** One line per file; returns the sum. */
function printSizes(manifest: Manifest): number {
  let total = 0;
  for (const [path, { bytes }] of Object.entries(manifest.files)) {
    console.log(`${String(bytes).padStart(12)}  ${path}`);
    total += bytes;
  }
  console.log(`${String(total).padStart(12)}  in all`);
  return total;
}

function printDeviations(deviations: Deviations): void {
  console.log('\nDeviation of the float32 graphs from PyTorch, worst case:');
  for (const [component, { cosine, relativeL2 }] of Object.entries(deviations)) {
    console.log(
      `${component.padEnd(8)}  cosine ${cosine.toFixed(7)}  relative L2 ${relativeL2.toExponential(2)}`,
    );
  }
}
