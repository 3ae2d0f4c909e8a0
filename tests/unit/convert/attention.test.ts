/** Attention of as many heads as FLUX.1 has is computed in parts on the CPU. */
import { expect, test } from 'vitest';
import { deviation } from '../../../cli/lib/deviation.ts';
import { ortCpu } from '../../../src/node/ort.ts';
import { attentionFeeds, attentionGraph, WIDTH } from './attention-graph.ts';
import { numbersOf } from '../../../src/shared/half.ts';
import { DataFiles } from './flux-models.ts';

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
  const data = new DataFiles();
  const graph = attentionGraph(data, heads);
  expect(new TextDecoder('latin1').decode(graph.encode()).split('MultiHeadAttention_')).toSatisfy(
    (pieces: string[]) => new Set(pieces.slice(1).map((piece) => parseInt(piece))).size === nodes,
  );

  const { ort } = await ortCpu();
  const feeds = attentionFeeds(ort, tokens, heads);
  const outputs = await data.runOnCpu([graph], feeds);
  const [query, key, value] = ['query', 'key', 'value'].map((name) => numbersOf(feeds[name]!.data));
  const expected = attention(query!, key!, value!, tokens, heads);
  expect(deviation(outputs['attended']!, expected).relativeL2).toBeLessThan(1e-6);
});
