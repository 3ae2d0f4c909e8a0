/** How large a bundle will be, before it is made. */
import { type ModelParts, partsOf } from '../checkpoint/model-parts.ts';
import type { Quantization } from '../quantize/precision-policy.ts';
import { storedSizes } from '../graphs/segments.ts';

/** Of a tensor: its alignment, its nodes in the graphs of both precisions, its lines in journal and report. */
const BYTES_PER_TENSOR = 2 ** 11;

/** In bytes, rather too many: some weights are not taken over. */
export function estimatedBytes(model: ModelParts, quantization: Quantization): number {
  const sizes = storedSizes(quantization);
  let bytes = unfoldedBiasBytes(model) + textBytes(model);
  for (const tensors of partsOf(model)) {
    for (const name of tensors.names()) {
      bytes += BYTES_PER_TENSOR;
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

/** Of T5's attention bias, which is stored for every pair of tokens, in float32. */
function unfoldedBiasBytes({ configs: { t5, t5Tokens } }: ModelParts): number {
  return 4 * t5.num_heads * t5Tokens ** 2;
}

function textBytes({ tokenizers, vocabulary = '' }: ModelParts): number {
  const texts = [tokenizers.t5, tokenizers.clip, vocabulary];
  return texts.reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0);
}
