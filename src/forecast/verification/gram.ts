/** Inner products of a compute step's feature and the anchors before it, and what follows. */

/**
 * The Gram matrix of e₀ = A₀, the newest anchor, and the successive differences eᵢ = Aᵢ₋₁ − Aᵢ.
 * Differences, because a forecast's error is a small difference of large features, which sums of
 * the features themselves would lose in rounding.
 */
export class Gram {
  /** @param products packed upper triangle, row by row: (0,0), (0,1) … (0,K), (1,1) … (K,K). */
  constructor(
    private readonly products: ArrayLike<number>,
    /** K: how many anchors there are before the newest. */
    readonly older: number,
  ) {
    const needed = triangle(older);
    if (products.length < needed) {
      throw new RangeError(`${needed} inner products needed, ${products.length} given`);
    }
  }

  /** The products as the constructor takes them. */
  get packed(): number[] {
    return Array.from({ length: triangle(this.older) }, (_, i) => this.products[i]!);
  }

  /** Whether every feature in it is finite: a NaN or infinity anywhere reaches a product. */
  get finite(): boolean {
    for (let i = 0; i <= this.older; i++) if (!Number.isFinite(this.at(i, i))) return false;
    return true;
  }

  /** ⟨eᵢ, eⱼ⟩. */
  at(i: number, j: number): number {
    const [low, high] = i < j ? [i, j] : [j, i];
    return this.products[low * (this.older + 1) - (low * (low - 1)) / 2 + high - low]!;
  }

  /** |Σ cᵢ·eᵢ|², never below zero. */
  normSquared(coefficients: readonly number[]): number {
    let sum = 0;
    coefficients.forEach((a, i) => coefficients.forEach((b, j) => (sum += a * b * this.at(i, j))));
    return Number.isNaN(sum) ? NaN : Math.max(0, sum);
  }

  /**
   * |F − Σ wⱼ·A₁₊ⱼ| / |F|: the relative error that a forecast of the newest anchor F from the ones
   * before it would have had, in closed form.
   *
   * @param weights of A₁, A₂ …, at most K of them.
   */
  forecastError(weights: readonly number[]): number {
    if (weights.length > this.older) {
      throw new RangeError(`${weights.length} weights for ${this.older} older anchors`);
    }
    return this.relativeNorm([1, ...Array.from(weights, (weight) => -weight)]);
  }

  /** |Σ cⱼ·Aⱼ| / |A₀| for coefficients of the raw anchors A₀, A₁ …, at most K + 1 of them. */
  relativeNorm(byAnchor: readonly number[]): number {
    // Aⱼ = e₀ − e₁ − … − eⱼ, so eᵢ is missing once for each anchor from the i-th on.
    const coefficients = new Array<number>(this.older + 1).fill(0);
    let tail = 0;
    for (let i = this.older; i >= 0; i--) {
      tail += byAnchor[i] ?? 0;
      coefficients[i] = i === 0 ? tail : -tail;
    }
    return Math.sqrt(this.normSquared(coefficients) / this.at(0, 0));
  }

  /** ⟨Aᵢ, Aⱼ⟩ of the raw anchors, A₀ the newest. */
  anchorProduct(i: number, j: number): number {
    let sum = 0;
    for (let a = 0; a <= i; a++) {
      for (let b = 0; b <= j; b++) sum += (a ? -1 : 1) * (b ? -1 : 1) * this.at(a, b);
    }
    return sum;
  }

  /** The same of the anchors before the newest: A₁ takes the place of A₀. */
  withoutNewest(): Gram {
    const size = this.older;
    const products: number[] = [];
    for (let i = 0; i < size; i++) {
      for (let j = i; j < size; j++) {
        // A₁ = e₀ − e₁, and its differences are e₂ …
        let product = this.at(i && i + 1, j && j + 1);
        if (i === 0) product -= this.at(1, j && j + 1);
        if (j === 0) product -= this.at(i && i + 1, 1);
        if (i === 0 && j === 0) product += this.at(1, 1);
        products.push(product);
      }
    }
    return new Gram(products, size - 1);
  }
}

/** How many products there are of the newest anchor and `older` differences. */
function triangle(older: number): number {
  return ((older + 1) * (older + 2)) / 2;
}
