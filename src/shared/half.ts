/** IEEE 754 half precision, as bits in a Uint16Array. */

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

let table: Float32Array | undefined;

/** Every half precision number by its bits, so that decoding is one look-up. */
function decodeTable(): Float32Array {
  if (table) return table;
  table = new Float32Array(65536);
  for (let half = 0; half < 65536; half++) {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 0) table[half] = sign * fraction * 2 ** -24;
    else if (exponent === 31) table[half] = fraction ? NaN : sign * Infinity;
    else table[half] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return table;
}

export function fromHalf(half: number): number {
  return decodeTable()[half & 0xffff]!;
}

/** Bits of the nearest half precision number; ties go to the even one. */
export function toHalf(value: number): number {
  float[0] = value;
  const word = bits[0]!;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 is the first number that rounds to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: a multiple of 2^-24. Adding 0.5 puts that unit into float32's last bit,
    // so that the addition itself rounds to nearest, ties to even.
    bits[0] = magnitude;
    float[0] = float[0]! + 0.5;
    return sign | (bits[0]! - 0x3f000000);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

// Plain loops: `from` with a function takes twenty times as long, and checkpoints have billions.

export function halvesToFloats(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const numbers = decodeTable();
  const floats = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) floats[i] = numbers[halves[i]!]!;
  return floats;
}

export function floatsToHalves(floats: Float32Array): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(floats.length);
  for (let i = 0; i < floats.length; i++) halves[i] = toHalf(floats[i]!);
  return halves;
}

/**
 * The numbers of a float32 or float16 tensor as float32; float32 data are returned as they are.
 * JavaScript holds half precision as numbers in a `Float16Array`, and as bits in a `Uint16Array`
 * where it has no such class: the same bytes of a tensor arrive as one or the other.
 *
 * @throws TypeError for anything else, of which every value would be wrong.
 */
export function numbersOf(data: unknown): Float32Array {
  // By its tag, since engines differ in which classes they have.
  const tag: unknown = Reflect.get(Object(data), Symbol.toStringTag);
  if (tag === 'Float32Array') return data as Float32Array;
  if (tag === 'Float16Array') return new Float32Array(data as ArrayLike<number>);
  if (tag === 'Uint16Array') return halvesToFloats(data as Uint16Array);
  throw new TypeError(`${String(tag ?? typeof data)} holds no float32 or float16 tensor`);
}

/**
 * Where float16 graphs clip what they carry on. Half precision's largest number, 65504, is known
 * to saturate: the next addition overflows.
 */
export const HALF_BOUND = 60000;

/** bfloat16 is the upper half of a float32. */
export function brainFloatsToFloats(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16;
  return new Float32Array(words.buffer);
}
