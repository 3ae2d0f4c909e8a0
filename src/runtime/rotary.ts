/**
 * FLUX's rotary position tables (diffusers' FluxPosEmbed with Flux2D ids): a token's position is
 * (0, row, column), all zeros for text, and every axis turns its own share of each head's width.
 */
const THETA = 10000;

export interface RotaryTables {
  /** [text tokens + rows * columns, headWidth / 2], text first. */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/**
 * One angle per pair of neighbouring channels (2i, 2i + 1): position * theta^(-2i / axis width),
 * axes one after another. Computed in float64, as diffusers does, then rounded.
 *
 * @param axes channels of each position axis; all even, their sum is the head width
 */
export function rotaryTables(
  textTokens: number,
  grid: { readonly rows: number; readonly columns: number },
  axes: readonly [number, number, number],
): RotaryTables {
  const turns = axes.flatMap((width, axis) =>
    Array.from({ length: width / 2 }, (_, i) => ({ axis, rate: THETA ** ((-2 * i) / width) })),
  );
  const tokens = textTokens + grid.rows * grid.columns;
  const cos = new Float32Array(tokens * turns.length).fill(1);
  const sin = new Float32Array(tokens * turns.length);
  let at = textTokens * turns.length;
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      const position = [0, row, column];
      for (const { axis, rate } of turns) {
        const angle = position[axis]! * rate;
        cos[at] = Math.cos(angle);
        sin[at] = Math.sin(angle);
        at++;
      }
    }
  }
  return { cos, sin };
}
