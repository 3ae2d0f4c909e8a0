/** Weights with LoRAs merged in: W + strength * alpha / rank * up * down, for just the rows asked for. */
import { AppError } from '../errors.ts';
import {
  loraTargets,
  parseLoraName,
  type LoraPart,
  type LoraTarget,
} from './layouts/lora-names.ts';
import { rowsAt, rowsOf } from './layouts/view.ts';
import type { ModelParts } from './model-parts.ts';
import { parseObject } from './safetensors-header.ts';
import type { Checkpoint } from './safetensors.ts';
import { readAll, rowCount, type TensorSource } from './tensors.ts';

export interface Lora {
  readonly tensors: TensorSource;
  readonly strength: number;
  /** For modules without an `alpha` of their own; their rank if it is left out. */
  readonly alpha?: number;
}

/** A LoRA in a file of its own. @throws AppError `bad-checkpoint` if it states what is no plain one */
export function loraFrom(file: Checkpoint, strength: number): Lora {
  const settings = adapterSettings(file);
  const stated = (field: string): unknown => settings[`transformer.${field}`];
  const unusual = ['use_rslora', 'use_dora'].filter((field) => stated(field) === true);
  // Ranks that differ are told by the shapes; alphas are not.
  if (Object.keys(stated('alpha_pattern') ?? {}).length > 0) unusual.push('alpha_pattern');
  if (unusual.length > 0) throw bad(file.where, `its metadata state ${unusual.join(', ')}`);
  const alpha = stated('lora_alpha');
  return { tensors: file, strength, ...(typeof alpha === 'number' && { alpha }) };
}

/** What diffusers keeps of PEFT's settings. */
function adapterSettings({ where, metadata }: Checkpoint): Record<string, unknown> {
  const text = metadata.get('lora_adapter_metadata');
  if (text === undefined) return {};
  return parseObject(new TextEncoder().encode(text), `${where}, lora_adapter_metadata`);
}

/** A model with LoRAs in all parts that they change. @throws AppError `bad-checkpoint` */
export function modelWithLoras(model: ModelParts, loras: readonly Lora[]): ModelParts {
  const words = loras.map(({ tensors, strength, alpha }) => {
    const shapes = [...tensors.names()].map((name) => [name, tensors.shape(name)]);
    return JSON.stringify([tensors.where, strength, alpha ?? null, shapes]);
  });
  return {
    ...model,
    merged: [...(model.merged ?? []), ...words],
    transformer: withLora(model.transformer, loras, 'transformer'),
    t5: withLora(model.t5, loras, 't5'),
    clip: withLora(model.clip, loras, 'clip'),
  };
}

/**
 * The tensors of one part of a model, with what the LoRAs have for this part. Names may be those
 * of diffusers and PEFT, of Black Forest Labs, or kohya's of either.
 *
 * @throws AppError `bad-checkpoint` that names the tensor, for modules that the part lacks, for
 * matrices that do not fit, and for all that is no plain LoRA.
 */
export function withLora(
  parts: TensorSource,
  loras: readonly Lora[],
  part: LoraPart = 'transformer',
): TensorSource {
  const targets = loraTargets(parts);
  const changes = new Map<string, Change[]>();
  for (const lora of loras) {
    for (const [weight, change] of changesOf(lora, part, targets, parts)) {
      changes.set(weight, [...(changes.get(weight) ?? []), change]);
    }
  }
  if (changes.size === 0) return parts;
  return {
    where: parts.where,
    names: () => parts.names(),
    has: (name) => parts.has(name),
    shape: (name) => parts.shape(name),
    storedBytes: (name) => parts.storedBytes(name),
    async rows(name, from, to) {
      const values = await parts.rows(name, from, to);
      for (const change of changes.get(name) ?? []) await addRows(values, change, from, to);
      return values;
    },
  };
}

/** The tensors of a module in a LoRA, by what they are. */
type Module = Partial<Record<'down' | 'up' | 'alpha', string>>;

/** What one module adds to one matrix. */
interface Change {
  readonly lora: Lora;
  readonly target: LoraTarget;
  readonly down: string;
  readonly up: string;
  readonly alpha: string | undefined;
}

function* changesOf(
  lora: Lora,
  part: LoraPart,
  targets: ReadonlyMap<string, readonly LoraTarget[]>,
  parts: TensorSource,
): Generator<[weight: string, change: Change]> {
  for (const [module, { down, up, alpha }] of modulesOf(lora.tensors, part)) {
    const { where } = lora.tensors;
    if (down === undefined || up === undefined) {
      throw bad(where, `${down ?? up ?? alpha} has no matrix that belongs to it`);
    }
    const changed = targets.get(module);
    if (!changed) throw bad(where, `the model has no module for ${down}`);
    for (const target of changed) {
      checkShapes(lora.tensors, down, up, target, parts);
      yield [target.weight, { lora, target, down, up, alpha }];
    }
  }
}

function modulesOf(tensors: TensorSource, part: LoraPart): ReadonlyMap<string, Module> {
  const modules = new Map<string, Module>();
  for (const name of tensors.names()) {
    const parsed = parseLoraName(name);
    if (!parsed) throw bad(tensors.where, `${name} is no part of a plain LoRA`);
    if (parsed.part !== part) continue;
    const module = modules.get(parsed.module) ?? {};
    if (module[parsed.role] !== undefined) {
      throw bad(tensors.where, `${module[parsed.role]} and ${name} are for the same module`);
    }
    module[parsed.role] = name;
    modules.set(parsed.module, module);
  }
  return modules;
}

function checkShapes(
  tensors: TensorSource,
  down: string,
  up: string,
  { weight, height }: LoraTarget,
  parts: TensorSource,
): void {
  const inputs = parts.shape(weight)[1];
  const rank = rowCount(tensors.shape(down));
  const expected = [
    [down, [rank, inputs]],
    [up, [height, rank]],
  ] as const;
  for (const [name, shape] of expected) {
    const found = tensors.shape(name);
    if (found.join() === shape.join() && rank > 0) continue;
    throw bad(
      tensors.where,
      `${name} has shape [${found.join(', ')}], expected [${shape.join(', ')}] for ${weight}`,
    );
  }
}

/** Adds rows `from` to `to` of the change to those of the matrix. */
async function addRows(
  values: Float32Array,
  { lora, target, down, up, alpha }: Change,
  from: number,
  to: number,
): Promise<void> {
  const { tensors, strength } = lora;
  const rank = rowCount(tensors.shape(down));
  const stated = alpha === undefined ? lora.alpha : (await readAll(tensors, alpha))[0];
  const scale = (strength * (stated ?? rank)) / rank;
  const left = await rowsAt(tensors, rowsOf(tensors, up, target.rows), from, to);
  addProduct(values, left, await readAll(tensors, down), rank, scale);
}

/** sum [rows, columns] += scale * left [rows, rank] * right [rank, columns]. */
function addProduct(
  sum: Float32Array,
  left: Float32Array,
  right: Float32Array,
  rank: number,
  scale: number,
): void {
  const columns = right.length / rank;
  const rows = left.length / rank;
  for (let row = 0; row < rows; row++) {
    const line = sum.subarray(row * columns, (row + 1) * columns);
    const factor = (k: number): number => (k < rank ? scale * left[row * rank + k]! : 0);
    const start = (k: number): number => Math.min(k, rank - 1) * columns;
    // Four at a time: twice as fast, and with fewer roundings.
    for (let k = 0; k < rank; k += 4) {
      const a = factor(k);
      const b = factor(k + 1);
      const c = factor(k + 2);
      const d = factor(k + 3);
      const p = start(k);
      const q = start(k + 1);
      const r = start(k + 2);
      const s = start(k + 3);
      for (let i = 0; i < columns; i++) {
        const more = a * right[p + i]! + b * right[q + i]! + c * right[r + i]! + d * right[s + i]!;
        line[i] = line[i]! + more;
      }
    }
  }
}

function bad(where: string, what: string): AppError {
  return new AppError(
    'bad-checkpoint',
    `${where}: ${what}.`,
    'Only plain LoRAs for FLUX.1 can be merged, without DoRA, LoKr or trained biases.',
  );
}
