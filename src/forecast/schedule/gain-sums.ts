/**
 * Sums over the steps strictly between two steps, each in constant time: the planner asks for
 * tens of thousands of them.
 */
export class GainSums {
  readonly #gain: Float64Array;
  readonly #gainTime: Float64Array;
  /** Row i: running Σ gainₛ·⟨F(i), F(s)⟩. */
  readonly #products: readonly Float64Array[];
  /** Row i: running Σ over r ≤ i and s of gainᵣ·gainₛ·⟨F(r), F(s)⟩. */
  readonly #squares: readonly Float64Array[];

  constructor(
    times: readonly number[],
    gains: readonly number[],
    covariance: readonly (readonly number[])[],
  ) {
    this.#gain = running(gains);
    this.#gainTime = running(gains.map((gain, i) => gain * times[i]!));
    this.#products = covariance.map((row) => running(row.map((value, s) => gains[s]! * value)));
    const squares = [new Float64Array(gains.length + 1)];
    this.#products.forEach((row, r) =>
      squares.push(squares[r]!.map((above, s) => above + gains[r]! * row[s]!)),
    );
    this.#squares = squares;
  }

  /** Σ gainₛ. */
  gain(from: number, to: number): number {
    return this.#gain[to]! - this.#gain[from + 1]!;
  }

  /** Σ gainₛ·tₛ. */
  gainTime(from: number, to: number): number {
    return this.#gainTime[to]! - this.#gainTime[from + 1]!;
  }

  /** ⟨F(i), Σ gainₛ·F(s)⟩. */
  product(i: number, from: number, to: number): number {
    return this.#products[i]![to]! - this.#products[i]![from + 1]!;
  }

  /** |Σ gainₛ·F(s)|². */
  square(from: number, to: number): number {
    const [low, high] = [this.#squares[from + 1]!, this.#squares[to]!];
    return high[to]! - high[from + 1]! - low[to]! + low[from + 1]!;
  }
}

/** Entry i is the sum of the first i values. */
function running(values: readonly number[]): Float64Array {
  const sums = new Float64Array(values.length + 1);
  values.forEach((value, i) => (sums[i + 1] = sums[i]! + value));
  return sums;
}
