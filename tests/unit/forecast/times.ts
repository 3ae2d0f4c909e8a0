/** Flow times of a run with a timestep shift, the end included. */
export const shifted = (steps: number, shift: number): number[] =>
  Array.from({ length: steps + 1 }, (_, i) => {
    const even = 1 - i / steps;
    return (shift * even) / (1 + (shift - 1) * even);
  });
