/**
 * Starting noise: the numbers that `torch.randn(count, generator=Generator('cpu').manual_seed(seed))`
 * gives, so that a seed means the same picture here as in diffusers. torch takes one of two ways
 * (aten/src/ATen/native/cpu/DistributionTemplates.h): blocks of 16 in single precision from 16
 * numbers on, one by one in double precision below that.
 */
import { generatorSeed, type Seed } from '../shared/seed.ts';
import { Mt19937 } from './mt19937.ts';

const BLOCK = 16;
const HALF = BLOCK / 2;
/** 2π as a float32: torch multiplies in single precision, so the rounding must be the same. */
const TWO_PI = Math.fround(2 * Math.PI);

/** Standard normal numbers, float32. */
export function gaussianNoise(seed: Seed, count: number): Float32Array<ArrayBuffer> {
  const generator = new Mt19937(generatorSeed(seed));
  return count >= BLOCK ? inBlocks(generator, count) : oneByOne(generator, count);
}

function inBlocks(generator: Mt19937, count: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = uniform24(generator);
  for (let start = 0; start + BLOCK <= count; start += BLOCK) {
    boxMuller(values.subarray(start, start + BLOCK));
  }
  if (count % BLOCK !== 0) {
    // A ragged end: the last 16 numbers are drawn afresh, over those already made.
    const tail = values.subarray(count - BLOCK);
    for (let i = 0; i < BLOCK; i++) tail[i] = uniform24(generator);
    boxMuller(tail);
  }
  return values;
}

/** Box-Muller over one block, in place: uniforms j and j+8 become the cosine and the sine part. */
function boxMuller(block: Float32Array): void {
  const { fround } = Math;
  for (let j = 0; j < HALF; j++) {
    const logarithm = fround(Math.log(fround(1 - block[j]!)));
    const radius = fround(Math.sqrt(-2 * logarithm));
    const angle = fround(TWO_PI * block[j + HALF]!);
    block[j] = radius * fround(Math.cos(angle));
    block[j + HALF] = radius * fround(Math.sin(angle));
  }
}

function oneByOne(generator: Mt19937, count: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const turn = uniform53(generator);
    const radius = Math.sqrt(-2 * Math.log1p(-uniform53(generator)));
    values[i] = radius * Math.cos(2 * Math.PI * turn);
    if (i + 1 < count) values[i + 1] = radius * Math.sin(2 * Math.PI * turn);
  }
  return values;
}

/** Uniform in [0, 1) with 24 random bits, exact in float32. */
function uniform24(generator: Mt19937): number {
  return (generator.next() & 0xffffff) / 2 ** 24;
}

/** Uniform in [0, 1) with 53 random bits: the low 21 of one word, then all of the next. */
function uniform53(generator: Mt19937): number {
  const high = generator.next() & 0x1fffff;
  return (high * 2 ** 32 + generator.next()) / 2 ** 53;
}
