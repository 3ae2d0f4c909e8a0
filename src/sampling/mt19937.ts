/**
 * The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998), the generator behind torch's CPU
 * random numbers. Gives 32-bit unsigned integers.
 */
const STATE_WORDS = 624;
const SHIFT = 397;

export class Mt19937 {
  readonly #state = new Uint32Array(STATE_WORDS);
  #next = STATE_WORDS;

  /** `seed`: 0 to 2^32 - 1. */
  constructor(seed: number) {
    this.#state[0] = seed;
    for (let i = 1; i < STATE_WORDS; i++) {
      const previous = this.#state[i - 1]!;
      this.#state[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i;
    }
  }

  next(): number {
    if (this.#next === STATE_WORDS) this.#twist();
    let y = this.#state[this.#next++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < STATE_WORDS; i++) {
      const joined = (state[i]! & 0x80000000) | (state[(i + 1) % STATE_WORDS]! & 0x7fffffff);
      const matrix = joined & 1 ? 0x9908b0df : 0;
      state[i] = state[(i + SHIFT) % STATE_WORDS]! ^ (joined >>> 1) ^ matrix;
    }
    this.#next = 0;
  }
}
