/** Files of weights that are not safetensors: by their names, and by how they begin. */
import { AppError } from '../../errors.ts';

const HINT = 'Take the same model as .safetensors files in float16, bfloat16 or float8.';

const ENDINGS: readonly (readonly [ending: RegExp, format: string])[] = [
  [/\.gguf$/i, 'the GGUF format'],
  [/\.(?:ckpt|pt|pth)$/i, "PyTorch's pickle format"],
  [/(?:^|\/)(?:diffusion_)?pytorch_model[\w.-]*\.bin$/i, "PyTorch's pickle format"],
  [/\.onnx$/i, 'the ONNX format'],
];

/** The format of weights that cannot be read, by the file's name; nothing for all other files. */
export function otherFormat(path: string): string | undefined {
  return ENDINGS.find(([ending]) => ending.test(path))?.[1];
}

/** A file of weights, in whichever format: one that stands for a model by itself. */
export function isWeightFile(path: string): boolean {
  return /\.safetensors$/i.test(path) || otherFormat(path) !== undefined;
}

/** How files begin that are given another format's name, or were saved in place of one. */
const BEGINNINGS: readonly (readonly [beginning: RegExp, what: string, hint: string])[] = [
  [/^GGUF/, 'it is in the GGUF format', HINT],
  [/^PK\x03\x04|^\x80[\x02-\x05]/, "it is in PyTorch's pickle format", HINT],
  [
    /^version https:\/\/git-lfs/,
    'it is a Git LFS pointer, not the file itself',
    'Fetch the file with "git lfs pull", or download it from its page.',
  ],
  [
    /^\s*<(?:!doctype|html)/i,
    'it is a web page',
    'Download the file itself; the address may be that of a page about it, or need a login.',
  ],
];

/** @param bytes the file's first; nothing is thrown for those that say nothing */
export function refuseOtherFormat(file: string, bytes: Uint8Array): void {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  const [, what, hint] = BEGINNINGS.find(([beginning]) => beginning.test(text)) ?? [];
  if (what === undefined || hint === undefined) return;
  throw new AppError('bad-checkpoint', `${file} cannot be read as safetensors: ${what}.`, hint);
}

/** @throws AppError `bad-checkpoint`, for a file that `otherFormat` knows */
export function unreadableFormat(path: string, format: string): AppError {
  return new AppError('bad-checkpoint', `${path} is in ${format}, which cannot be read.`, HINT);
}
