/** The number types of safetensors files: their sizes, and how those that can be read are decoded. */
import { brainFloatsToFloats, halvesToFloats } from '../half.ts';
import { e4m3ToFloats, e5m2ToFloats } from './float8.ts';

/** Bytes of one number. Types that are not here are neither checked nor read. */
export const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  U64: 8,
  I32: 4,
  U32: 4,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

type Decoder = (bytes: Uint8Array) => Float32Array;

const DECODERS = new Map<string, Decoder>([
  ['F32', (bytes) => new Float32Array(bytes.slice().buffer)],
  ['F16', (bytes) => halvesToFloats(words(bytes))],
  ['BF16', (bytes) => brainFloatsToFloats(words(bytes))],
  ['F8_E4M3', e4m3ToFloats],
  ['F8_E5M2', e5m2ToFloats],
]);

export const READABLE = [...DECODERS.keys()];

/** What makes float32 of a type's bytes; nothing for a type that cannot be read. */
export function decoderOf(element: string): Decoder | undefined {
  return DECODERS.get(element);
}

/** The same bytes where they are aligned, else a copy. */
function words(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
}
