import { GraphBuilder, type Precision, type Value } from '../../../src/convert/graphs/builder.ts';

/** How the graphs of a formula bundle are made. */
export interface FormulaOptions {
  /** Segments of the trunk. */
  readonly segments: 1 | 2 | 3;
  /** Segments of the T5 encoder. */
  readonly textSegments: 1 | 2;
  /** Whether trunk and head take a guidance scale. */
  readonly guidance: boolean;
}

type Bytes = Uint8Array<ArrayBuffer>;

const ones = (graph: GraphBuilder) =>
  graph.floats('ones', [1, 64], new Float32Array(64).fill(1), 'float32');
const number = (graph: GraphBuilder, value: number) =>
  graph.floats(`number ${value}`, [1], [value], 'float32');
const scaled = (graph: GraphBuilder, value: Value, factor: number) =>
  graph.op('Mul', [value, number(graph, factor)]);

export function t5Graphs(precision: Precision, { textSegments }: FormulaOptions): Bytes[] {
  const column = (graph: GraphBuilder): Value => {
    const ids = graph.cast(graph.input('input_ids', 'int32', [1, 'T']), 'float32');
    return graph.op('Reshape', [ids, graph.integers([1, -1, 1])]);
  };
  const finish = (graph: GraphBuilder, value: Value): Bytes => {
    graph.output('text', 'float32', [1, 'T', 64], graph.op('Mul', [value, ones(graph)]));
    return graph.encode();
  };
  const first = new GraphBuilder('t5', precision);
  if (textSegments === 1) return [finish(first, column(first))];
  first.output('column', 'float32', [1, 'T', 1], scaled(first, column(first), 1));
  const second = new GraphBuilder('t5 second', precision);
  const given = second.input('column', 'float32', [1, 'T', 1]);
  return [first.encode(), finish(second, given)];
}

export function clipGraph(precision: Precision): Bytes {
  const graph = new GraphBuilder('clip', precision);
  const ids = graph.cast(graph.input('input_ids', 'int32', [1, 'C']), 'float32');
  const end = graph.input('end', 'int32', [1]);
  const id = graph.op('Gather', [ids, end], { axis: 1 });
  graph.output('pooled', 'float32', [1, 64], graph.op('Mul', [id, ones(graph)]));
  return graph.encode();
}

/** The trunk in consecutive segments; what goes between them is in the graphs' precision. */
export function trunkGraphs(precision: Precision, { segments, guidance }: FormulaOptions): Bytes[] {
  const steps = [streamOf, withText, guidance ? withPooledAndGuidance : withPooled];
  // The last segment has what is left over.
  const cuts = Array.from({ length: segments }, (_, i) =>
    steps.slice(i, i === segments - 1 ? undefined : i + 1),
  );
  return cuts.map((mine, i) => {
    const graph = new GraphBuilder(`trunk ${i}`, precision);
    const before = `stream ${i - 1}`;
    let value: Value =
      i === 0 ? '' : graph.cast(graph.input(before, precision, [1, 'N', 64]), 'float32');
    for (const step of mine) value = step(graph, value);
    // A float32 graph casts too, to nothing, so that the output is always a node's own.
    const output = i === segments - 1 ? 'features' : `stream ${i}`;
    graph.output(output, precision, [1, 'N', 64], graph.cast(value, precision));
    return graph.encode();
  });
}

function streamOf(graph: GraphBuilder): Value {
  const latents = graph.input('latents', 'float32', [1, 'N', 64]);
  const sigma = graph.input('timestep', 'float32', [1]);
  const x = scaled(graph, graph.op('Mul', [latents, sigma]), 3);
  const square = graph.op('Add', [graph.op('Mul', [x, x]), number(graph, 1)]);
  return graph.op('Div', [x, square]);
}

function withText(graph: GraphBuilder, value: Value): Value {
  const text = graph.input('text', 'float32', [1, 'T', 64]);
  const mean = graph.op('ReduceMean', [text, graph.integers([1])], { keepdims: 1 });
  return graph.op('Add', [value, scaled(graph, mean, 0.1)]);
}

function withPooled(graph: GraphBuilder, value: Value): Value {
  const pooled = graph.input('pooled', 'float32', [1, 64]);
  return graph.op('Add', [value, scaled(graph, pooled, 0.01)]);
}

function withPooledAndGuidance(graph: GraphBuilder, value: Value): Value {
  const guidance = graph.input('guidance', 'float32', [1]);
  return graph.op('Add', [withPooled(graph, value), scaled(graph, guidance, 0.02)]);
}

export function headGraph(precision: Precision, { guidance }: FormulaOptions): Bytes {
  const graph = new GraphBuilder('head', precision);
  const features = graph.cast(graph.input('features', precision, [1, 'N', 64]), 'float32');
  const sigma = graph.input('timestep', 'float32', [1]);
  let factor = graph.op('Add', [sigma, number(graph, 1)]);
  if (guidance) {
    const scale = graph.input('guidance', 'float32', [1]);
    factor = graph.op('Add', [factor, scaled(graph, scale, 0.01)]);
  }
  graph.output('velocity', 'float32', [1, 'N', 64], graph.op('Mul', [features, factor]));
  return graph.encode();
}

/** @param brightness of the picture: 1 for the decoder's own */
export function decoderGraph(precision: Precision, brightness: number): Bytes {
  const graph = new GraphBuilder('decoder', precision);
  const latents = graph.input('latents', 'float32', [1, 'rows', 'columns', 64]);
  const channels = graph.op('Transpose', [latents], { perm: [0, 3, 1, 2] });
  const four = graph.op('DepthToSpace', [channels], { blocksize: 4, mode: 'CRD' });
  const limits = [[0], [3], [1]].map((values) => graph.integers(values));
  const three = graph.op('Slice', [four, ...limits]);
  const image = brightness === 1 ? three : scaled(graph, three, brightness);
  graph.output('image', 'float32', [1, 3, 'height', 'width'], image);
  return graph.encode();
}
