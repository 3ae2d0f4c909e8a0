/** What the command line calls a source, opened. */
import { existsSync } from 'node:fs';
import { AppError } from '../src/errors.ts';
import type { Source } from '../src/onnx/files.ts';
import { type Lora, loraFrom } from '../src/onnx/lora.ts';
import { openFile } from '../src/onnx/safetensors.ts';
import { sourceAt } from '../src/onnx/sources/address.ts';
import { combined } from '../src/onnx/sources/combined.ts';
import type { LoraOption } from './convert-options.ts';
import { FolderSource } from './folder.ts';

/**
 * @param token of Hugging Face
 * @throws AppError `not-found` for what is none of all these.
 */
export function openSources(names: readonly string[], token: string | undefined): Source {
  return combined(names.map((name) => openSource(name, token)));
}

function openSource(name: string, token: string | undefined): Source {
  if (existsSync(name)) return new FolderSource(name);
  // A path that is not there would pass for a repository.
  if (/^[./~]|\.safetensors$/.test(name) && !name.includes('://')) throw missing(name);
  return sourceAt(name, token === undefined ? {} : { token });
}

/** A LoRA file on disk. */
export async function openLora({ path, strength }: LoraOption): Promise<Lora> {
  if (!existsSync(path)) throw missing(path);
  const source = new FolderSource(path);
  const [file = ''] = await source.list();
  return loraFrom(await openFile(source, file), strength);
}

function missing(name: string): AppError {
  return new AppError(
    'not-found',
    `There is no folder or file ${name}.`,
    'Check the path; a Hugging Face repository is written ORG/NAME.',
  );
}
