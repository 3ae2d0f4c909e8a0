/** Convolutions of the autoencoders, and what doubles a picture's size between them. */
import type { Attributes, Value } from '../builder.ts';
import type { Layers } from '../layers.ts';

export interface ConvolutionOptions {
  /** 1 keeps the size, 2 halves it. */
  readonly stride?: 1 | 2;
  /** Rows and columns added above, left, below and right; as many as keep the size, if left out. */
  readonly pads?: readonly [number, number, number, number];
  /** What weight and bias are multiplied with; ONNX Runtime does it when it loads the graph. */
  readonly factors?: { readonly weight: number; readonly bias: number };
}

const UNCHANGED = { weight: 1, bias: 1 } as const;

/** torch.nn.Conv2d with a square kernel, [1, inputs, h, w] to [1, outputs, h, w]. */
export async function convolution(
  layers: Layers,
  x: Value,
  module: string,
  { stride = 1, pads, factors = UNCHANGED }: ConvolutionOptions = {},
): Promise<Value> {
  const { graph, weights } = layers;
  const [, , size = 1] = weights.shape(`${module}.weight`);
  const parts = [await layers.vector(`${module}.weight`)];
  if (weights.has(`${module}.bias`)) parts.push(await layers.vector(`${module}.bias`));
  graph.within(module);
  const scaled = parts.map((part, i) =>
    multiplied(layers, part, i === 0 ? factors.weight : factors.bias),
  );
  const side = (size - 1) / 2;
  const attributes: Attributes = {
    kernel_shape: [size, size],
    pads: pads ?? [side, side, side, side],
    ...(stride === 1 ? {} : { strides: [stride, stride] }),
  };
  return graph.op('Conv', [x, ...scaled], attributes);
}

/** In float32, in which ONNX Runtime computes with constants as it loads a graph. */
function multiplied({ graph }: Layers, constant: Value, factor: number): Value {
  if (factor === 1) return constant;
  const half = graph.precision === 'float16';
  const by = graph.floats(`factor ${factor}`, [1], [factor], 'float32');
  const product = graph.op('Mul', [half ? graph.cast(constant, 'float32') : constant, by]);
  return half ? graph.cast(product, 'float16') : product;
}

/** Twice the size, each pixel repeated. */
export function upsample({ graph }: Layers, x: Value, module: string): Value {
  graph.within(module);
  const scales = graph.floats('upsampling', [4], [1, 1, 2, 2], 'float32');
  return graph.op('Resize', [x, '', scales], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });
}
