/**
 * ComfyUI's scaled 8-bit files: beside `<module>.weight` stands one number, `<module>.scale_weight`
 * or `<module>.weight_scale`, that the weight is to be multiplied by.
 */
import { AppError } from '../../../shared/errors.ts';
import { originsOf, type TensorSource } from '../tensors.ts';

const SCALES = ['scale_weight', 'weight_scale'];
/** For the activations of 8-bit arithmetic, which is not what the weights are for here. */
const UNUSED = /(^|\.)(scaled_fp8|scale_input|input_scale|comfy_quant)$/;

/** The same tensors with their scales multiplied in; unchanged if there are none. */
export function unscaled(tensors: TensorSource): TensorSource {
  const scales = new Map<string, string>();
  const names: string[] = [];
  for (const name of tensors.names()) {
    const module = SCALES.map((end) => `.${end}`).find((end) => name.endsWith(end));
    if (module) scales.set(`${name.slice(0, -module.length)}.weight`, scalar(tensors, name));
    else if (!UNUSED.test(name)) names.push(name);
  }
  if (scales.size === 0) return tensors;
  return {
    where: tensors.where,
    names: () => names,
    has: (name) => tensors.has(name),
    shape: (name) => tensors.shape(name),
    storedBytes: (name) => tensors.storedBytes(name),
    origins(name) {
      const scale = scales.get(name);
      return [name, ...(scale === undefined ? [] : [scale])].flatMap((one) =>
        originsOf(tensors, one),
      );
    },
    async rows(name, from, to) {
      const values = await tensors.rows(name, from, to);
      const scale = scales.get(name);
      if (scale === undefined) return values;
      const [factor = 1] = await tensors.rows(scale, 0, 1);
      for (let i = 0; i < values.length; i++) values[i] = values[i]! * factor;
      return values;
    },
  };
}

function scalar(tensors: TensorSource, name: string): string {
  const shape = tensors.shape(name);
  if (shape.every((size) => size === 1)) return name;
  throw new AppError(
    'bad-checkpoint',
    `${tensors.where}: ${name} has shape [${shape.join(', ')}]; only one scale per matrix is known.`,
    'Take a file in float16, bfloat16 or plain float8 instead.',
  );
}
