/** Files of weights that are not safetensors: by their names, and by how they begin. */
import { AppError } from '../../../shared/errors.ts';

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

interface Beginning {
  /** The bytes, or the text whatever space stands before it and however it is written. */
  readonly begins: readonly number[] | string;
  readonly what: string;
  readonly hint: string;
}

const gguf = { what: 'it is in the GGUF format', hint: HINT };
const pickle = { what: "it is in PyTorch's pickle format", hint: HINT };
const page = {
  what: 'it is a web page',
  hint: 'Download the file itself; the address may be that of a page about it, or need a login.',
};

/** How files begin that are given another format's name, or were saved in place of one. */
const BEGINNINGS: readonly Beginning[] = [
  { begins: 'gguf', ...gguf },
  // A zip archive, which PyTorch writes since 1.6, and pickles of protocols 2 to 5.
  { begins: [0x50, 0x4b, 3, 4], ...pickle },
  ...[2, 3, 4, 5].map((protocol) => ({ begins: [0x80, protocol], ...pickle })),
  {
    begins: 'version https://git-lfs',
    what: 'it is a Git LFS pointer, not the file itself',
    hint: 'Fetch the file with "git lfs pull", or download it from its page.',
  },
  { begins: '<!doctype', ...page },
  { begins: '<html', ...page },
];

/** @param bytes the file's first; nothing is thrown for those that say nothing */
export function refuseOtherFormat(file: string, bytes: Uint8Array): void {
  const text = new TextDecoder().decode(bytes).trimStart().toLowerCase();
  const found = BEGINNINGS.find(({ begins }) =>
    typeof begins === 'string'
      ? text.startsWith(begins)
      : begins.every((byte, i) => bytes[i] === byte),
  );
  if (!found) return;
  throw new AppError(
    'bad-checkpoint',
    `${file} cannot be read as safetensors: ${found.what}.`,
    found.hint,
  );
}

/** @throws AppError `bad-checkpoint`, for a file that `otherFormat` knows */
export function unreadableFormat(path: string, format: string): AppError {
  return new AppError('bad-checkpoint', `${path} is in ${format}, which cannot be read.`, HINT);
}
