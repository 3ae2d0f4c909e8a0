import type { TextTokens } from './backend.ts';
import type { Ort, Tensors } from './ort/session.ts';

/** The inputs of the two text graphs. */
export function textInputs(ort: Ort, tokens: TextTokens): { t5: Tensors; clip: Tensors } {
  const ids = (values: Int32Array) => new ort.Tensor('int32', values, [1, values.length]);
  return {
    t5: { input_ids: ids(tokens.t5) },
    clip: {
      input_ids: ids(tokens.clip),
      end: new ort.Tensor('int32', Int32Array.of(tokens.clipEnd), [1]),
    },
  };
}

/** The same for the same text. */
export function textKey({ t5, clip, clipEnd }: TextTokens): string {
  return `${t5.join()} ${clip.join()} ${clipEnd}`;
}
