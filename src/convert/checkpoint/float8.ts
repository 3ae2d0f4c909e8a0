/** The two 8-bit floating point types of checkpoints. A byte decodes by one look-up. */
import { fromHalf } from '../../shared/half.ts';

let e4m3: Float32Array | undefined;
let e5m2: Float32Array | undefined;

/** 4 bits of exponent, 3 of fraction, the variant "fn": no infinities, and one NaN per sign. */
export function e4m3ToFloats(bytes: Uint8Array): Float32Array {
  e4m3 ??= Float32Array.from({ length: 256 }, (_, byte) => {
    const sign = byte & 0x80 ? -1 : 1;
    const exponent = (byte >> 3) & 15;
    const fraction = byte & 7;
    if ((byte & 0x7f) === 0x7f) return NaN;
    if (exponent === 0) return sign * fraction * 2 ** -9;
    return sign * (1 + fraction / 8) * 2 ** (exponent - 7);
  });
  return lookUp(e4m3, bytes);
}

/** 5 bits of exponent, 2 of fraction: the upper half of a half precision number. */
export function e5m2ToFloats(bytes: Uint8Array): Float32Array {
  e5m2 ??= Float32Array.from({ length: 256 }, (_, byte) => fromHalf(byte << 8));
  return lookUp(e5m2, bytes);
}

function lookUp(table: Float32Array, bytes: Uint8Array): Float32Array {
  const floats = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) floats[i] = table[bytes[i]!]!;
  return floats;
}
