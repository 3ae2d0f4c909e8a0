/** Which module a LoRA's tensors belong to, by the names that its trainers give them. */
import { rowCount, type TensorSource } from '../tensors.ts';
import { linearRenamings } from './bfl-names.ts';
import { countModules } from './view.ts';

/** Parts of a model that a LoRA may change. */
export type LoraPart = 'transformer' | 't5' | 'clip';

type Role = 'down' | 'up' | 'alpha';

export interface LoraName {
  readonly part: LoraPart;
  /** The module's name with `_` for every dot, as some trainers write it. */
  readonly module: string;
  /** The same as the file has it, with dots where it has dots. */
  readonly path: string;
  readonly role: Role;
}

/** What stands before modules' names, of diffusers, PEFT, ComfyUI and kohya; the longer first. */
const PREFIXES: readonly (readonly [prefix: string, part: LoraPart])[] = [
  ['text_encoders.clip_l.transformer.', 'clip'],
  ['text_encoders.t5xxl.transformer.', 't5'],
  ['text_encoder_2.', 't5'],
  ['text_encoder.', 'clip'],
  ['lora_te1_', 'clip'],
  ['lora_te2_', 't5'],
  ['lora_te3_', 't5'],
  ['lora_te_', 'clip'],
  ['model.diffusion_model.', 'transformer'],
  ['base_model.model.', 'transformer'],
  ['diffusion_model.', 'transformer'],
  ['transformer.', 'transformer'],
  ['lora_transformer_', 'transformer'],
  ['lora_unet_', 'transformer'],
  ['', 'transformer'],
];

/** PEFT may put an adapter's name before `weight`. */
const ROLES: readonly (readonly [ending: RegExp, role: Role])[] = [
  [/\.(?:lora_A|lora_down|lora\.down|lora_linear_layer\.down)(?:\.[\w-]+)?\.weight$/, 'down'],
  [/\.(?:lora_B|lora_up|lora\.up|lora_linear_layer\.up)(?:\.[\w-]+)?\.weight$/, 'up'],
  [/(?:\.lora)?\.alpha$/, 'alpha'],
];

/** XLabs keep the matrices of a double block under its attention's processor, the image's first. */
const XLABS = /^(double_blocks\.\d+)\.processor\.(qkv|proj)_lora([12])\.(down|up)\.weight$/;

/** Nothing for a tensor that is no part of a plain LoRA. */
export function parseLoraName(name: string): LoraName | undefined {
  const plain = name.replace(XLABS, (_, block, layer, stream, half) => {
    return `${block}.${stream === '1' ? 'img' : 'txt'}_attn.${layer}.lora_${half}.weight`;
  });
  const [ending, role] = ROLES.find(([pattern]) => pattern.test(plain)) ?? [];
  if (!ending || !role) return undefined;
  const [prefix, part] = PREFIXES.find(([start]) => plain.startsWith(start))!;
  const path = plain.slice(prefix.length).replace(ending, '');
  const module = flat(path);
  return {
    part,
    module: part === 'clip' ? module.replace(/^text_model_/, '') : module,
    path,
    role,
  };
}

/** A matrix that a LoRA's module changes. */
export interface LoraTarget {
  readonly weight: string;
  /** Rows that the module's `up` matrix must have. */
  readonly height: number;
  /** Those of its rows that belong to this matrix, in the matrix's order. */
  readonly rows: readonly (readonly [from: number, to: number])[];
}

/**
 * All modules of a model's part by their flat names, diffusers' and, for a transformer, Black
 * Forest Labs', whose fused modules change several matrices.
 */
export function loraTargets(tensors: TensorSource): ReadonlyMap<string, readonly LoraTarget[]> {
  const targets = new Map<string, LoraTarget[]>();
  for (const name of tensors.names()) {
    if (!name.endsWith('.weight') || tensors.shape(name).length !== 2) continue;
    const height = rowCount(tensors.shape(name));
    const target = { weight: name, height, rows: [[0, height]] as const };
    targets.set(flat(name.slice(0, -'.weight'.length)), [target]);
  }
  for (const [module, target] of bflTargets(tensors)) {
    targets.set(module, [...(targets.get(module) ?? []), target]);
  }
  return targets;
}

function* bflTargets(tensors: TensorSource): Generator<[module: string, target: LoraTarget]> {
  if (!tensors.has('x_embedder.weight')) return;
  const rowsOf = (name: string): number => (tensors.has(name) ? rowCount(tensors.shape(name)) : 0);
  const sizes = {
    doubleBlocks: countModules(tensors, 'transformer_blocks'),
    singleBlocks: countModules(tensors, 'single_transformer_blocks'),
    hidden: rowsOf('x_embedder.weight'),
    feedForward: rowsOf('single_transformer_blocks.0.proj_mlp.weight'),
  };
  const renamings = [...linearRenamings(sizes)];
  const heights = new Map<string, number>();
  for (const { theirs, rows } of renamings) {
    const ends = (rows ?? []).map(([, to]) => to);
    heights.set(theirs, Math.max(heights.get(theirs) ?? 0, ...ends));
  }
  for (const { theirs, ours, rows } of renamings) {
    const weight = `${ours}.weight`;
    if (!tensors.has(weight)) continue;
    const own = rowsOf(weight);
    const height = rows ? heights.get(theirs)! : own;
    yield [flat(theirs), { weight, height, rows: rows ?? [[0, own]] }];
  }
}

function flat(module: string): string {
  return module.replaceAll('.', '_');
}
