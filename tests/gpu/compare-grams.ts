import type { Backend } from '../../src/runtime/backend.ts';
import { Gram } from '../../src/forecast/verification/gram.ts';

/** Forecasts to be judged: damped, straight, curved, and one that does not sum to one. */
const WEIGHTS = [[1], [1.5, -0.5], [2, -1], [3, -3, 1], [0.9, 0.05]];

export interface Compared {
  readonly weights: readonly number[];
  /** Relative error of the forecast from the inner products, and from the features themselves. */
  readonly closed: number;
  readonly direct: number;
}

/** The same backend; every reading of inner products is held against the features it is of. */
export function comparingGrams(backend: Backend, compared: Compared[]): Backend {
  return {
    info: backend.info,
    encodeText: (tokens) => backend.encodeText(tokens),
    dispose: () => backend.dispose(),
    begin: async (...given) => {
      const run = await backend.begin(...given);
      const gram = run.gram.bind(run);
      run.gram = async (older) => {
        // All asked for at once, before the run goes on and overwrites them.
        const reading = gram(older);
        const reads = Array.from({ length: older + 1 }, (_, age) => run.anchor(age));
        const [products, anchors] = [await reading, await Promise.all(reads)];
        for (const weights of WEIGHTS.filter(({ length }) => length <= older)) {
          const closed = new Gram(products, older).forecastError(weights);
          compared.push({ weights, closed, direct: directError(anchors, weights) });
        }
        return products;
      };
      return run;
    },
  };
}

/** Summed up in double precision. */
function directError(anchors: readonly Float32Array[], weights: readonly number[]): number {
  const [newest, ...older] = anchors;
  let wrong = 0;
  let size = 0;
  newest!.forEach((value, i) => {
    const forecast = weights.reduce((sum, weight, j) => sum + weight * older[j]![i]!, 0);
    wrong += (value - forecast) ** 2;
    size += value ** 2;
  });
  return Math.sqrt(wrong / size);
}
