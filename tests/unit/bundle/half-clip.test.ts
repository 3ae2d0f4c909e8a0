import { readdirSync, readFileSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { floatsToHalves, numbersOf } from '../../../src/shared/half.ts';
import { GraphBuilder, type Value } from '../../../src/convert/graphs/builder.ts';
import { withoutClip } from '../../../src/bundle/half-clip.ts';
import { Layers } from '../../../src/convert/graphs/layers.ts';
import { ModelProtoSchema } from '../../../src/bundle/proto/onnx_pb.ts';
import type { Weights } from '../../../src/convert/quantize/weights.ts';
import { ortCpu } from '../../../src/node/ort.ts';

type Bounds = (graph: GraphBuilder) => [low: Value, high: Value];

/** As the converter wrote it: bounds in float32, cast to half precision. */
const converted: Bounds = (graph) => [
  graph.floats('-1 * largest half', [], [-65504]),
  graph.floats('1 * largest half', [], [65504]),
];

function clipping(bounds: Bounds): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('clip', 'float16');
  const x = graph.input('x', 'float16', ['n']);
  graph.output('y', 'float16', ['n'], graph.op('Clip', [x, ...bounds(graph)]));
  return graph.encode();
}

const operators = (graph: Uint8Array) =>
  fromBinary(ModelProtoSchema, graph).graph!.node.map(({ opType }) => opType);

const NUMBERS = [Infinity, 65504, 60000, 59968, 7, 2, 0, -7, -60000, -65504, -Infinity];

async function run(graph: Uint8Array): Promise<number[]> {
  const { ort } = await ortCpu();
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(graph, { executionProviders: ['wasm'] });
  try {
    const halves = floatsToHalves(Float32Array.from(NUMBERS));
    const x = new ort.Tensor('float16', halves, [halves.length]);
    return [...numbersOf((await session.run({ x }))['y']!.data)];
  } finally {
    await session.release();
  }
}

const clipped = (low: number, high: number) => NUMBERS.map((x) => Math.min(Math.max(x, low), high));

test('what the converter once wrote clips at ±60000, without Clip', async () => {
  const graph = withoutClip(clipping(converted));
  expect(operators(graph)).toEqual(['Cast', 'Cast', 'Max', 'Min']);
  expect(await run(graph)).toEqual(clipped(-60000, 60000));
});

test.each<[string, Bounds, number, number]>([
  ['other bounds', (graph) => [graph.floats('a', [], [-7]), graph.floats('b', [], [2])], -7, 2],
  ['a lower one only', (graph) => [graph.floats('a', [], [-7]), ''], -7, Infinity],
  ['an upper one only', (graph) => ['', graph.floats('b', [], [2])], -Infinity, 2],
  ['none', () => ['', ''], -Infinity, Infinity],
])('%s stay', async (_, bounds, low, high) => {
  const graph = withoutClip(clipping(bounds));
  expect(operators(graph)).not.toContain('Clip');
  expect(await run(graph)).toEqual(clipped(low, high));
});

test('a number that is more than a bound keeps its value', async () => {
  const builder = new GraphBuilder('clip', 'float16');
  const x = builder.input('x', 'float16', ['n']);
  const [low, high] = converted(builder);
  const y = builder.op('Max', [builder.op('Clip', [x, low, high]), high]);
  builder.output('y', 'float16', ['n'], y);
  const graph = withoutClip(builder.encode());
  expect(operators(graph)).not.toContain('Clip');
  expect(await run(graph)).toEqual(NUMBERS.map(() => 65504));
});

test('a float32 Clip in such a graph keeps its bounds', () => {
  const graph = new GraphBuilder('clip', 'float16');
  const x = graph.input('x', 'float32', ['n']);
  const high = graph.floats('high', [], [65504], 'float32');
  graph.output('y', 'float32', ['n'], graph.op('Clip', [x, '', high]));
  const [bound] = fromBinary(ModelProtoSchema, withoutClip(graph.encode())).graph!.initializer;
  expect([...new Float32Array(bound!.rawData.slice().buffer)]).toEqual([65504]);
});

test('the converter writes no Clip, and the same bounds', async () => {
  const graph = new GraphBuilder('finite', 'float16');
  const x = graph.input('x', 'float16', ['n']);
  const layers = new Layers(graph, undefined as unknown as Weights);
  graph.output('y', 'float16', ['n'], layers.finite(x));
  expect(operators(graph.encode())).not.toContain('Clip');
  expect(await run(graph.encode())).toEqual(clipped(-60000, 60000));
});

test('no float16 graph of the embedded model has an operator that Firefox refuses', () => {
  const folder = 'public/models/pocket';
  const graphs = readdirSync(folder).filter((name) => name.endsWith('.float16.onnx'));
  expect(graphs).toContain('trunk.float16.onnx');
  for (const name of graphs) {
    const used = operators(new Uint8Array(readFileSync(`${folder}/${name}`)));
    expect(
      used.filter((operator) => ['Clip', 'Pad'].includes(operator)),
      name,
    ).toEqual([]);
  }
});
