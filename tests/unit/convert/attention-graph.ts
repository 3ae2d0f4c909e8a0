/** Graphs of attention alone, and what they are given. */
import type { Ort, Tensors } from '../../../src/runtime/ort/session.ts';
import { GraphBuilder, type Precision } from '../../../src/convert/graphs/builder.ts';
import { attend } from '../../../src/convert/graphs/components/attention.ts';
import { Layers } from '../../../src/convert/graphs/layers.ts';
import { gaussianWeights } from '../support/weights.ts';
import type { DataFiles } from './flux-models.ts';
import { MemoryTensors } from './tensors.ts';

/** Of a head. */
export const WIDTH = 8;

/** Inputs `query`, `key`, `value` [1, N, heads * WIDTH], `cos`, `sin`; output `attended`. */
export function attentionGraph(
  data: DataFiles,
  heads: number,
  precision: Precision = 'float32',
): GraphBuilder {
  const hidden = heads * WIDTH;
  const graph = new GraphBuilder('attention', precision);
  const input = (name: string) => graph.input(name, precision, [1, 'N', hidden]);
  const projected = { query: input('query'), key: input('key'), value: input('value') };
  const table = (name: string) => graph.input(name, precision, ['N', WIDTH / 2]);
  const rotary = { cos: table('cos'), sin: table('sin') };
  const layers = new Layers(graph, data.weights('none.data', new MemoryTensors()));
  const attended = attend(layers, projected, rotary, heads, 'attention');
  graph.output('attended', precision, [1, 'N', hidden], attended);
  return graph;
}

/** Random queries, keys and values, and angles of zero. */
export function attentionFeeds({ Tensor }: Ort, tokens: number, heads: number): Tensors {
  const hidden = heads * WIDTH;
  const all = gaussianWeights(3 * tokens * hidden);
  const part = (i: number) =>
    new Tensor('float32', all.slice(i * tokens * hidden, (i + 1) * tokens * hidden), [
      1,
      tokens,
      hidden,
    ]);
  const angles = (filler: number) =>
    new Tensor('float32', new Float32Array(tokens * (WIDTH / 2)).fill(filler), [tokens, WIDTH / 2]);
  return { query: part(0), key: part(1), value: part(2), cos: angles(1), sin: angles(0) };
}
