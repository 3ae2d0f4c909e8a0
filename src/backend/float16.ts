/** IEEE half precision as bits, for tensors of type float16, which JavaScript holds as uint16. */

const scratch = new DataView(new ArrayBuffer(4));

/** Rounded to nearest, ties to even; beyond 65504 it becomes infinite. */
export function toFloat16(values: ArrayLike<number>): Uint16Array {
  return Uint16Array.from(values, halfBits);
}

export function fromFloat16(bits: ArrayLike<number>): Float32Array {
  return Float32Array.from(bits, halfValue);
}

function halfBits(value: number): number {
  scratch.setFloat32(0, value);
  const sign = (scratch.getUint32(0) >>> 16) & 0x8000;
  const magnitude = Math.abs(Math.fround(value));
  if (Number.isNaN(magnitude)) return sign | 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  // Halves have steps of 2^-24 below 2^-14, and of 2^(exponent - 10) above.
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const steps = roundToEven(magnitude / 2 ** (exponent - 10));
  // Subnormals have no hidden bit; a carry out of the mantissa moves the exponent up by itself.
  return sign | (exponent === -14 ? steps : ((exponent + 14) << 10) + steps);
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
