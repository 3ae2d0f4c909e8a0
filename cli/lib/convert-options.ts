/** The command line of `hicache convert`. */
import { AppError } from '../../src/shared/errors.ts';
import { QUANTIZATIONS, type Quantization } from '../../src/convert/quantize/precision-policy.ts';
import { parseOptions } from './args.ts';

export const CONVERT_HELP = `Usage: hicache convert SOURCE… --out BUNDLE [options]
       hicache convert --verify --out BUNDLE

Makes a bundle from a FLUX.1 checkpoint. A conversion that was stopped goes on when the same command is
given again. SOURCE is one or several of

  a folder                       as diffusers saves it, or with single files in it
  a .safetensors file            transformer, autoencoder or text encoder, as ComfyUI keeps them
  ORG/NAME[@REVISION]            a Hugging Face repository, if there is no such folder here
  https://…                      a folder or a .safetensors file on a web server

  --out BUNDLE            folder of the bundle
  --quant NAME            ${QUANTIZATIONS.join(', ')} (int4 from a billion parameters on, else mixed)
  --memory MIB            about how much memory to take (1500)
  --lora FILE[:STRENGTH]  merge a LoRA, with strength 1 or as given; may be repeated
  --token TOKEN           of Hugging Face, for models behind a licence (or HF_TOKEN in the environment)
  --verify                check all hashes afterwards and load every graph; alone, of a bundle that is there
  --goldens DIR           say how far the float32 graphs are from PyTorch (training/goldens.py)
`;

export interface LoraOption {
  readonly path: string;
  readonly strength: number;
}

export interface ConvertOptions {
  readonly help: boolean;
  readonly sources: readonly string[];
  readonly out: string;
  /** Undefined: by the model's size. */
  readonly quantization: Quantization | undefined;
  readonly memoryMiB: number;
  readonly loras: readonly LoraOption[];
  readonly token: string | undefined;
  readonly verify: boolean;
  readonly goldens: string | undefined;
}

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  out: { type: 'string' },
  quant: { type: 'string' },
  memory: { type: 'string', default: '1500' },
  lora: { type: 'string', multiple: true },
  token: { type: 'string' },
  verify: { type: 'boolean' },
  goldens: { type: 'string' },
} as const;

/** Below this the largest matrices of FLUX.1 would not go through, whatever is done in pieces. */
const LEAST_MEMORY = 256;

/** @throws AppError `bad-request` that says which option is wrong. */
export function convertOptions(args: readonly string[]): ConvertOptions {
  const { positionals, values } = parseOptions(args, OPTIONS);
  const { out, quant, memory, lora, token, verify, goldens, help } = values;
  if (help !== true && out === undefined) throw wrong('Say with --out where the bundle is.');
  if (help !== true && positionals.length === 0 && verify !== true) {
    throw wrong('Give a folder, a file, an address or a repository to convert.');
  }
  const quantization = QUANTIZATIONS.find((known) => known === quant);
  if (quant !== undefined && !quantization) {
    throw wrong(`--quant is one of ${QUANTIZATIONS.join(', ')}, not ${quant}.`);
  }
  const memoryMiB = Number(memory);
  if (!(Number.isInteger(memoryMiB) && memoryMiB >= LEAST_MEMORY)) {
    throw wrong(`--memory is a whole number of MiB from ${LEAST_MEMORY}, not ${memory}.`);
  }
  return {
    help: help === true,
    sources: positionals,
    out: out ?? '',
    quantization,
    memoryMiB,
    loras: (lora ?? []).map(loraOption),
    token: token ?? process.env.HF_TOKEN,
    verify: verify === true,
    goldens,
  };
}

/** `FILE:0.8`; a colon in the path itself is none of ours unless a number follows it. */
function loraOption(text: string): LoraOption {
  const found = /^(?<path>.+):(?<strength>[-+]?[\d.]+)$/.exec(text);
  const { path = text, strength = '1' } = found?.groups ?? {};
  const value = Number(strength);
  if (!(Math.abs(value) <= 10)) throw wrong(`--lora ${text}: the strength is from -10 to 10.`);
  return { path, strength: value };
}

function wrong(what: string): AppError {
  return new AppError('bad-request', what, 'Ask for --help to see the options.');
}
