/** The number types of safetensors files: their sizes, and how those that can be read are decoded. */
import { brainFloatsToFloats, halvesToFloats } from '../../shared/half.ts';
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
  ['F64', (bytes) => Float32Array.from(new Float64Array(bytes.slice().buffer))],
  ['F16', (bytes) => halvesToFloats(words(bytes))],
  ['BF16', (bytes) => brainFloatsToFloats(words(bytes))],
  ['F8_E4M3', e4m3ToFloats],
  ['F8_E5M2', e5m2ToFloats],
]);

export const READABLE = [...DECODERS.keys()];

/** Of single numbers such as a LoRA's alpha. Whole tensors of integers are codes of something. */
const INTEGERS = new Map<string, (view: DataView) => number | bigint>([
  ['I64', (view) => view.getBigInt64(0, true)],
  ['U64', (view) => view.getBigUint64(0, true)],
  ['I32', (view) => view.getInt32(0, true)],
  ['U32', (view) => view.getUint32(0, true)],
  ['I16', (view) => view.getInt16(0, true)],
  ['U16', (view) => view.getUint16(0, true)],
  ['I8', (view) => view.getInt8(0)],
  ['U8', (view) => view.getUint8(0)],
]);

/** What makes float32 of a type's bytes; nothing for a type that cannot be read. */
export function decoderOf(element: string, numbers: number): Decoder | undefined {
  const integer = numbers === 1 ? INTEGERS.get(element) : undefined;
  if (!integer) return DECODERS.get(element);
  return (bytes) =>
    Float32Array.of(Number(integer(new DataView(bytes.buffer, bytes.byteOffset, bytes.length))));
}

/** The same bytes where they are aligned, else a copy. */
function words(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
}
