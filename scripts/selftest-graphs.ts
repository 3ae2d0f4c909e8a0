/** Writes the graphs of the GPU's self-test: `tsx scripts/selftest-graphs.ts`. */
import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { FIXED } from '../src/runtime/webgpu/selftest/cases.ts';
import { HALF_BOUND } from '../src/shared/half.ts';
import { GraphBuilder, type Precision, real, type Value } from '../src/convert/graphs/builder.ts';

const FOLDER = new URL('../public/selftest/', import.meta.url);

/** By file name. */
export function selfTestGraphs(): Map<string, Uint8Array<ArrayBuffer>> {
  const graphs = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const precision of ['float32', 'float16'] as const) {
    graphs.set(`attention.${precision}.onnx`, attention(precision));
    graphs.set(`matmul-4bit.${precision}.onnx`, matMul4Bit(precision));
    graphs.set(`clipping.${precision}.onnx`, clipping(precision));
    graphs.set(`block.${precision}.onnx`, block(precision));
  }
  graphs.set('convolution.onnx', convolution());
  return graphs;
}

/** query, key, value [1, tokens, width] → output, by ONNX Runtime's fused attention. */
function attention(precision: Precision): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('attention', precision);
  const shape = [1, 'tokens', 'width'];
  const inputs = ['query', 'key', 'value'].map((name) => graph.input(name, precision, shape));
  const mixed = graph.op('MultiHeadAttention', inputs, { num_heads: FIXED.heads });
  graph.output('output', precision, shape, mixed);
  return graph.encode();
}

/** input [rows, inner] times 4-bit weights [columns, blocks, block / 2] → output [rows, columns]. */
function matMul4Bit(precision: Precision): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('matmul-4bit', precision);
  const { inner, columns } = FIXED;
  const input = graph.input('input', precision, ['rows', inner]);
  graph.output('output', precision, ['rows', columns], times4Bit(graph, input));
  return graph.encode();
}

/** Of `x` [.., inner], with weights that are inputs of the graph. */
function times4Bit(graph: GraphBuilder, x: Value, bias?: Value): Value {
  const { inner, columns, block } = FIXED;
  const blocks = inner / block;
  const weights = graph.input('weights', 'uint8', [columns, blocks, block / 2]);
  const scales = graph.input('scales', graph.precision, [columns * blocks]);
  return graph.op('MatMulNBits', [x, weights, scales, ...(bias ? ['', '', bias] : [])], {
    K: inner,
    N: columns,
    bits: 4,
    block_size: block,
  });
}

/** Twice the input [numbers], clipped as the transformer clips what it carries on → output. */
function clipping(precision: Precision): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('clipping', precision);
  const input = graph.input('input', precision, ['numbers']);
  const doubled = graph.op('Mul', [input, graph.scalar(2)]);
  const raised = graph.op('Max', [doubled, graph.scalar(-HALF_BOUND)]);
  const clipped = graph.op('Min', [raised, graph.scalar(HALF_BOUND)]);
  graph.output('output', precision, ['numbers'], clipped);
  return graph.encode();
}

/**
 * A single block of the transformer in small, x [1, tokens, width] → output, with the operators
 * that src/convert/graphs/components/single-block.ts writes. Its weights are inputs, so that the width, and
 * with it the head's, is free; only the 4-bit matrix has its size in the graph.
 */
function block(precision: Precision): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('block', precision);
  const { heads, inner, columns } = FIXED;
  const epsilon = real(FIXED.epsilon);
  const input = (name: string, ...shape: (string | number)[]) =>
    graph.input(name, precision, shape);
  const x = input('x', 1, 'tokens', 'width');
  const [scale, shift, gate] = ['scale', 'shift', 'gate'].map((name) => input(name, 'width'));
  const normed = graph.op('LayerNormalization', [x, scale!, shift!], { epsilon });
  const projected = (name: string, outputs: string | number = 'width') =>
    graph.op('MatMul', [normed, input(`${name}_weights`, 'width', outputs)]);

  const angles = ['tokens', 'pairs'];
  const rotary = [input('rotary_cos', ...angles), input('rotary_sin', ...angles)];
  const turned = (name: string): Value => {
    const split = graph.op('Reshape', [projected(name), graph.integers([0, 0, heads, -1])]);
    const norm = input(`${name}_norm`, 'head width');
    const even = graph.op('SimplifiedLayerNormalization', [split, norm], { epsilon });
    const joined = graph.op('Reshape', [even, graph.integers([0, 0, -1])]);
    const inputs = [joined, graph.integers([0]), ...rotary];
    return graph.op('RotaryEmbedding', inputs, { interleaved: 1, num_heads: heads });
  };
  const attended = graph.op(
    'MultiHeadAttention',
    [turned('query'), turned('key'), projected('value')],
    { num_heads: heads },
  );
  const narrow = times4Bit(graph, projected('wide', inner), input('bias', columns));
  const both = graph.op('Concat', [attended, graph.op('FastGelu', [narrow])], { axis: 2 });
  const update = graph.op('MatMul', [both, input('output_weights', 'both', 'width')]);
  const sum = graph.op('Add', [x, graph.op('Mul', [update, gate!])]);
  graph.output('output', precision, [1, 'tokens', 'width'], sum);
  return graph.encode();
}

/** The smallest graph with weights that ONNX Runtime packs for the GPU: src/runtime/webgpu/sessions.ts. */
function convolution(): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('convolution', 'float32');
  const shape = [1, 4, 'height', 'width'];
  const input = graph.input('input', 'float32', shape);
  const weights = graph.floats('weights', [4, 4, 1, 1], new Float32Array(16), 'float32');
  const output = graph.op('Conv', [input, weights], { kernel_shape: [1, 1] });
  graph.output('output', 'float32', shape, output);
  return graph.encode();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [name, bytes] of selfTestGraphs()) await writeFile(new URL(name, FOLDER), bytes);
}
