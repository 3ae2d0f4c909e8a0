/** Writes the graphs of the GPU's self-test: `tsx tools/selftest-graphs.ts`. */
import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { FIXED } from '../src/backend/webgpu/selftest.ts';
import { GraphBuilder, type Precision } from '../src/onnx/builder.ts';

const FOLDER = new URL('../public/selftest/', import.meta.url);

/** By file name. */
export function selfTestGraphs(): Map<string, Uint8Array<ArrayBuffer>> {
  const graphs = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const precision of ['float32', 'float16'] as const) {
    graphs.set(`attention.${precision}.onnx`, attention(precision));
    graphs.set(`matmul-4bit.${precision}.onnx`, matMul4Bit(precision));
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
  const { inner, columns, block } = FIXED;
  const blocks = inner / block;
  const input = graph.input('input', precision, ['rows', inner]);
  const weights = graph.input('weights', 'uint8', [columns, blocks, block / 2]);
  const scales = graph.input('scales', precision, [columns * blocks]);
  const product = graph.op('MatMulNBits', [input, weights, scales], {
    K: inner,
    N: columns,
    bits: 4,
    block_size: block,
  });
  graph.output('output', precision, ['rows', columns], product);
  return graph.encode();
}

/** The smallest graph with weights that ONNX Runtime packs for the GPU: src/backend/webgpu/sessions.ts. */
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
