/** How large a bundle will be, before it is made. */
import { type ModelParts, partsOf } from './model-parts.ts';
import type { Quantization } from './policy.ts';
import { storedSizes } from './segments.ts';

/** Graphs and tokenizers, and T5's attention bias, which is unfolded. */
const REST = 64 * 2 ** 20;

/** In bytes, rather too many: some weights are not taken over. */
export function estimatedBytes(model: ModelParts, quantization: Quantization): number {
  const sizes = storedSizes(quantization);
  let bytes = REST;
  for (const tensors of partsOf(model)) {
    for (const name of tensors.names()) {
      const shape = tensors.shape(name);
      const [outputs = 1, inputs = 1] = shape;
      const module = name.replace(/\.weight$/, '');
      bytes +=
        shape.length === 2 && module !== name && !/embed|shared/.test(name)
          ? sizes.matrix(module, outputs, inputs)
          : sizes.numbers(shape.reduce((product, size) => product * size, 1));
    }
  }
  return bytes;
}
