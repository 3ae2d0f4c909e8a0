/** From a FLUX model in any layout to a bundle (docs/bundle.md). */
import type { WritableFolder } from '../bundle/folder.ts';
import { type Manifest, MANIFEST, parseManifest } from '../bundle/manifest.ts';
import { AppError } from '../shared/errors.ts';
import { writeComponents } from './write/bundle-components.ts';
import { fingerprint } from './write/fingerprint.ts';
import { removeOthers } from './write/leftovers.ts';
import { describeModel } from './write/model-description.ts';
import { type ModelParts, partsOf } from './checkpoint/model-parts.ts';
import type { ConversionOptions, ConversionProgress } from './options.ts';
import { Output } from './write/output.ts';
import type { Quantization } from './quantize/precision-policy.ts';
import { cpuQuantizer } from './quantize/quantizer.ts';
import type { TensorSource } from './checkpoint/tensors.ts';
import { describeUnused, type UnusedTensors, unusedTensors } from './checkpoint/unused.ts';
import { VOCABULARY } from './checkpoint/vocabulary.ts';
import type { StoredWeight } from './quantize/weights.ts';

export type { ConversionOptions, ConversionProgress };

/** Beside the manifest, for people: how far every quantized weight is from the checkpoint's. */
export const REPORT = 'conversion.json';

/** What conversion.json holds. */
export interface ConversionReport {
  readonly quantization: Quantization;
  /** Those that are quantized. */
  readonly weights: readonly StoredWeight[];
  /** Tensors that no graph takes, if there are any worth naming. */
  readonly unused?: readonly UnusedTensors[];
}

export interface Conversion {
  readonly manifest: Manifest;
  readonly report: ConversionReport;
  /** What people should know of the result, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Converts, weight by weight. What it returns stands in the folder too; manifest.json comes last. A
 * conversion that was stopped at any moment goes on from where it was safe when it is called with
 * the same model, settings and folder; the result is the same to the byte.
 *
 * @throws AppError `bad-checkpoint`, naming the file and the field; `cancelled` after the signal;
 * `out-of-storage`, after which what is there is kept.
 */
export async function convert(
  model: ModelParts,
  folder: WritableFolder,
  options: ConversionOptions,
): Promise<Conversion> {
  const { quantization, quantizer = cpuQuantizer(), segmentBytes, chunk, signal } = options;
  const of = await fingerprint(model, options);
  // Until the new manifest is there the folder is no bundle.
  await removeOthers(folder, of);
  const output = await Output.open(folder, of, options);
  const progress = new Progress(model, options.onProgress);
  const stored: StoredWeight[] = [];
  const used = new Map<TensorSource, Set<string>>();
  const components = await writeComponents(model, output, {
    quantization,
    quantizer,
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
    ...(chunk === undefined ? {} : { chunk }),
    begin: (what) => progress.begin(what),
    onTaken: (bytes) => {
      progress.taken(bytes);
      if (signal?.aborted) throw cancelled();
    },
    onStored: (weight) => stored.push(weight),
    onUsed: (source, name) => void used.set(source, (used.get(source) ?? new Set()).add(name)),
  });
  const tokenizers = { t5: 'tokenizers/t5.json', clip: 'tokenizers/clip.json' };
  await output.write(tokenizers.t5, encode(model.tokenizers.t5));
  await output.write(tokenizers.clip, encode(model.tokenizers.clip));
  if (model.vocabulary !== undefined) await output.write(VOCABULARY, encode(model.vocabulary));
  const manifest: Manifest = {
    format: 'hicache-bundle',
    version: 1,
    ...model.description,
    ...describeModel(model.configs),
    components,
    tokenizers,
    ...(model.vocabulary !== undefined && { vocabulary: VOCABULARY }),
    files: await output.finish(),
  };
  const checked = parseManifest(JSON.stringify(manifest), MANIFEST);
  const unused = unusedTensors(model, used);
  const report: ConversionReport = {
    quantization,
    weights: stored,
    ...(unused.length > 0 && { unused }),
  };
  await replace(folder, REPORT, report);
  await folder.flush();
  await replace(folder, MANIFEST, manifest);
  await folder.flush();
  await output.removeJournal();
  progress.done();
  return {
    manifest: checked,
    report,
    notes: [...(model.notes ?? []), ...unused.map(describeUnused)],
  };
}

async function replace(folder: WritableFolder, path: string, value: unknown): Promise<void> {
  await folder.truncate(path, 0);
  await folder.append(path, encode(`${JSON.stringify(value, null, 2)}\n`));
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function cancelled(): AppError {
  return new AppError(
    'cancelled',
    'The conversion was stopped.',
    'Start it again with the same settings; it goes on from here.',
  );
}

/** Adds up what was taken of the checkpoint. */
class Progress {
  private what = '';
  private readBytes = 0;
  private readonly totalBytes: number;

  constructor(
    model: ModelParts,
    private readonly report: (progress: ConversionProgress) => void = () => undefined,
  ) {
    let total = 0;
    for (const tensors of partsOf(model)) {
      for (const name of tensors.names()) total += tensors.storedBytes(name);
    }
    this.totalBytes = total;
  }

  begin(what: string): void {
    this.what = what;
  }

  taken(bytes: number): void {
    this.readBytes += bytes;
    this.say();
  }

  /** What no graph asked for is not missing; the last component stays the one that is named. */
  done(): void {
    this.readBytes = this.totalBytes;
    this.say();
  }

  private say(): void {
    const { what, readBytes, totalBytes } = this;
    this.report({ what, readBytes, totalBytes });
  }
}
