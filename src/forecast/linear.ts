/** The small dense linear algebra that fits need. */

/**
 * Solves A·x = b by elimination with partial pivoting.
 *
 * @param matrix rows of A, square.
 * @returns null if A is singular to working precision.
 */
export function solve(
  matrix: readonly (readonly number[])[],
  right: readonly number[],
): number[] | null {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const size = rows.length;
  const scale = Math.max(...rows.flat().map(Math.abs));
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let i = column + 1; i < size; i++) {
      if (Math.abs(rows[i]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = i;
    }
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const head = rows[column]![column]!;
    if (!(Math.abs(head) > 1e-14 * scale)) return null;
    for (let i = column + 1; i < size; i++) {
      const factor = rows[i]![column]! / head;
      for (let j = column; j <= size; j++) rows[i]![j]! -= factor * rows[column]![j]!;
    }
  }
  const solution = new Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    let rest = rows[i]![size]!;
    for (let j = i + 1; j < size; j++) rest -= rows[i]![j]! * solution[j]!;
    solution[i] = rest / rows[i]![i]!;
  }
  return solution;
}

/** |Σ wᵢ·F(i)|² of vectors F known by their inner products; rounding may leave it below zero. */
export function normSquared(
  terms: readonly (readonly [index: number, weight: number])[],
  products: readonly (readonly number[])[],
): number {
  let sum = 0;
  for (const [i, a] of terms) for (const [j, b] of terms) sum += a * b * products[i]![j]!;
  return sum;
}
