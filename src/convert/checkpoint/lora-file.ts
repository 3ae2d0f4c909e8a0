/** A LoRA's file, and what it or an adapter_config.json beside it states of the strength of its matrices. */
import { AppError } from '../../shared/errors.ts';
import { readBytes, type Source } from '../files.ts';
import type { LoraPart } from './layouts/lora-names.ts';
import { badLora, DORA } from './lora-errors.ts';
import type { AdapterSettings, Lora } from './lora.ts';
import { isObject, parseObject } from './safetensors-header.ts';
import { openFile, type Checkpoint } from './safetensors.ts';

/** PEFT keeps an adapter's settings beside its weights. */
const ADAPTER_CONFIG = 'adapter_config.json';

/** Under which names diffusers keeps the settings of each part. */
const COMPONENTS: Readonly<Record<LoraPart, string>> = {
  transformer: 'transformer',
  clip: 'text_encoder',
  t5: 'text_encoder_2',
};

/** @throws AppError `bad-checkpoint` for what is no plain LoRA, naming the file */
export async function openLoraFile(source: Source, path: string, strength: number): Promise<Lora> {
  const file = await openFile(source, path);
  const config = path.slice(0, path.lastIndexOf('/') + 1) + ADAPTER_CONFIG;
  if (!(await source.has(config))) return loraFrom(file, strength);
  return loraFrom(file, strength, parseObject(await readBytes(source, config), config));
}

/**
 * @param adapterConfig content of PEFT's adapter_config.json
 * @throws AppError `bad-checkpoint` if it states what is no plain LoRA
 */
export function loraFrom(
  file: Checkpoint,
  strength: number,
  adapterConfig: Record<string, unknown> = {},
): Lora {
  const { where } = file;
  const stated = statedIn(file);
  const settings: Partial<Record<LoraPart, AdapterSettings>> = {};
  for (const [part, component] of Object.entries(COMPONENTS) as [LoraPart, string][]) {
    const own = Object.entries(stated).flatMap(([key, value]) =>
      key.startsWith(`${component}.`) ? [[key.slice(component.length + 1), value] as const] : [],
    );
    const all =
      own.length > 0 ? Object.fromEntries(own) : part === 'transformer' ? adapterConfig : {};
    settings[part] = settingsOf(where, all);
  }
  return { tensors: file, strength, settings };
}

/** What diffusers keeps of PEFT's settings in the file itself. */
function statedIn({ where, metadata }: Checkpoint): Record<string, unknown> {
  const text = metadata.get('lora_adapter_metadata');
  if (text === undefined) return {};
  return parseObject(new TextEncoder().encode(text), `${where}, lora_adapter_metadata`);
}

function settingsOf(where: string, stated: Record<string, unknown>): AdapterSettings {
  if (stated['use_dora'] === true) {
    throw badLora(where, 'its settings state use_dora', DORA);
  }
  const { lora_alpha: alpha, alpha_pattern: pattern } = stated;
  return {
    ...(alpha !== undefined && alpha !== null && { alpha: number(where, 'lora_alpha', alpha) }),
    rankStabilized: stated['use_rslora'] === true,
    alphas: Object.entries(isObject(pattern) ? pattern : {}).map(([key, value]) => ({
      pattern: patternOf(where, key),
      alpha: number(where, `alpha_pattern.${key}`, value),
    })),
  };
}

function number(where: string, field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new AppError(
    'bad-checkpoint',
    `${where}: ${field} is ${JSON.stringify(value)}, not a number.`,
    'Save the LoRA again, or use another one.',
  );
}

/** As PEFT matches it: the end of a module's name, from a dot on, as a regular expression. */
function patternOf(where: string, key: string): RegExp {
  try {
    return new RegExp(`^(?:.*\\.)?(?:${key})$`);
  } catch (cause) {
    throw new AppError(
      'bad-checkpoint',
      `${where}: alpha_pattern.${key} is not a valid pattern.`,
      'Save the LoRA again, or use another one.',
      { cause },
    );
  }
}
