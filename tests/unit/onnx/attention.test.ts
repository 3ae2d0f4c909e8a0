/** Attention of as many heads as FLUX.1 has is computed in parts on the CPU. */
import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../src/onnx/builder.ts';
import { attend } from '../../../src/onnx/components/attention.ts';
import { Layers } from '../../../src/onnx/layers.ts';
import { deviation } from '../../../tools/deviation.ts';
import { ortCpu } from '../../../tools/node-ort.ts';
import { gaussianWeights } from '../support/weights.ts';
import { DataFiles } from './flux-models.ts';
import { MemoryTensors } from './tensors.ts';

const WIDTH = 8;

/** softmax(q·k / √width) v by its definition, [tokens, heads * width]. */
function attention(
  query: Float32Array,
  key: Float32Array,
  value: Float32Array,
  tokens: number,
  heads: number,
): Float32Array {
  const hidden = heads * WIDTH;
  const output = new Float32Array(tokens * hidden);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < tokens; i++) {
      const at = (token: number, x: number): number => token * hidden + head * WIDTH + x;
      const weights = Array.from({ length: tokens }, (_, j) => {
        let dot = 0;
        for (let x = 0; x < WIDTH; x++) dot += query[at(i, x)]! * key[at(j, x)]!;
        return Math.exp(dot / Math.sqrt(WIDTH));
      });
      const sum = weights.reduce((total, weight) => total + weight, 0);
      for (let j = 0; j < tokens; j++) {
        for (let x = 0; x < WIDTH; x++) output[at(i, x)]! += (weights[j]! / sum) * value[at(j, x)]!;
      }
    }
  }
  return output;
}

test.each([
  { heads: 15, nodes: 1 },
  { heads: 16, nodes: 8 },
  { heads: 24, nodes: 8 },
])('$heads heads attend in $nodes parts', async ({ heads, nodes }) => {
  const tokens = 77; // no multiple of the parts
  const hidden = heads * WIDTH;
  const data = new DataFiles();
  const graph = new GraphBuilder('attention', 'float32');
  const input = (name: string) => graph.input(name, 'float32', [1, 'N', hidden]);
  const projected = { query: input('query'), key: input('key'), value: input('value') };
  const table = (name: string) => graph.input(name, 'float32', ['N', WIDTH / 2]);
  const rotary = { cos: table('cos'), sin: table('sin') };
  const layers = new Layers(graph, data.weights('none.data', new MemoryTensors()));
  const attended = attend(layers, projected, rotary, heads, 'attention');
  graph.output('attended', 'float32', [1, 'N', hidden], attended);
  expect(new TextDecoder('latin1').decode(graph.encode()).split('MultiHeadAttention_')).toSatisfy(
    (pieces: string[]) => new Set(pieces.slice(1).map((piece) => parseInt(piece))).size === nodes,
  );

  const all = gaussianWeights(3 * tokens * hidden);
  const [query, key, value] = [0, 1, 2].map((i) =>
    all.slice(i * tokens * hidden, (i + 1) * tokens * hidden),
  ) as [Float32Array, Float32Array, Float32Array];
  const { ort } = await ortCpu();
  const tensor = (values: Float32Array) => new ort.Tensor('float32', values, [1, tokens, hidden]);
  const angles = (filler: number) =>
    new ort.Tensor('float32', new Float32Array(tokens * (WIDTH / 2)).fill(filler), [
      tokens,
      WIDTH / 2,
    ]);
  const outputs = await data.runOnCpu([graph], {
    query: tensor(query),
    key: tensor(key),
    value: tensor(value),
    cos: angles(1),
    sin: angles(0),
  });
  const expected = attention(query, key, value, tokens, heads);
  expect(deviation(outputs['attended']!, expected).relativeL2).toBeLessThan(1e-6);
});
