/** What the command line calls a source, opened. */
import { existsSync, statSync } from 'node:fs';
import { AppError } from '../../src/shared/errors.ts';
import type { Source } from '../../src/convert/files.ts';
import {
  isWeightFile,
  otherFormat,
  unreadableFormat,
} from '../../src/convert/checkpoint/layouts/formats.ts';
import type { Lora } from '../../src/convert/checkpoint/lora.ts';
import { openLoraFile } from '../../src/convert/checkpoint/lora-file.ts';
import { sourceAt } from '../../src/convert/sources/address.ts';
import { combined } from '../../src/convert/sources/combined.ts';
import type { LoraOption } from './convert-options.ts';
import { FolderSource } from '../../src/node/source-folder.ts';

/**
 * @param token of Hugging Face
 * @throws AppError `not-found` for what is none of all these.
 */
export function openSources(names: readonly string[], token: string | undefined): Source {
  return combined(names.map((name) => openSource(name, token)));
}

function openSource(name: string, token: string | undefined): Source {
  if (existsSync(name)) return sourceOnDisk(name);
  // A path that is not there might pass for a repository.
  const isPath = /^[./~]|\/.*\//.test(name) || isWeightFile(name);
  if (isPath && !name.includes('://')) throw missing(name);
  return sourceAt(name, token === undefined ? {} : { token });
}

function sourceOnDisk(path: string): Source {
  if (isWeightFile(path) || statSync(path).isDirectory()) return new FolderSource(path);
  throw new AppError(
    'bad-request',
    `${path} is neither a folder nor a .safetensors file.`,
    'Weights are read from .safetensors files alone. Give other files, such as those of the tokenizers, as the folder that they are in.',
  );
}

/** A LoRA file on disk, or the folder of one. */
export async function openLora({ path, strength }: LoraOption): Promise<Lora> {
  if (!existsSync(path)) throw missing(path);
  const source = sourceOnDisk(path);
  const listed = await source.list();
  const files = listed.filter((file) => file.endsWith('.safetensors'));
  const [file, ...others] = files;
  if (file !== undefined && others.length === 0) return openLoraFile(source, file, strength);
  const unreadable = listed.find((name) => otherFormat(name) !== undefined);
  if (files.length === 0 && unreadable !== undefined) {
    throw unreadableFormat(unreadable, otherFormat(unreadable)!);
  }
  throw new AppError(
    'bad-request',
    `${path} has ${files.length} .safetensors files, not one.`,
    'Name the file of each LoRA with --lora.',
  );
}

function missing(name: string): AppError {
  return new AppError(
    'not-found',
    `There is no folder or file ${name}.`,
    'Check the path; a Hugging Face repository is written ORG/NAME.',
  );
}
