import { fromBinary } from '@bufbuild/protobuf';
import type { InferenceSession } from 'onnxruntime-web/wasm';
import { expect, test } from 'vitest';
import type { Ort } from '../../../src/runtime/ort/session.ts';
import { WebGpuSessions } from '../../../src/runtime/webgpu/sessions.ts';
import type { DeviceWatch } from '../../../src/gpu/watch.ts';
import { GraphBuilder, type Precision } from '../../../src/convert/graphs/builder.ts';
import { ModelProtoSchema } from '../../../src/bundle/proto/onnx_pb.ts';

const PLACE = { last: true, sparing: false };

/** The graph that ONNX Runtime is given on a device with these features. */
async function givenTo(features: readonly string[], graph: Uint8Array): Promise<Uint8Array> {
  let given: Uint8Array | undefined;
  const create = (bytes: Uint8Array): Promise<InferenceSession> => {
    given = bytes;
    return Promise.resolve({} as InferenceSession);
  };
  const ort = { InferenceSession: { create } } as unknown as Ort;
  const watch = {
    device: { features: new Set(features) },
    allocate: (make: () => unknown) => make(),
  } as unknown as DeviceWatch;
  const sessions = new WebGpuSessions(ort, watch, false, () => Promise.reject(new Error()));
  await sessions.create(graph, [], PLACE);
  return given!;
}

function graphOf(operator: string, precision: Precision): Uint8Array {
  const graph = new GraphBuilder('graph', precision);
  const x = graph.input('x', precision, ['n']);
  const inputs = [x, graph.scalar(-1), ...(operator === 'Clip' ? [graph.scalar(1)] : [])];
  graph.output('y', precision, ['n'], graph.op(operator, inputs));
  return graph.encode();
}

test('a float16 graph of an earlier version reaches the GPU without Clip', async () => {
  const given = await givenTo(['shader-f16'], graphOf('Clip', 'float16'));
  const { graph } = fromBinary(ModelProtoSchema, given);
  const operators = graph!.node.map(({ opType }) => opType);
  expect(operators).toEqual(['Cast', 'Cast', 'Max', 'Min']);
});

test('all other graphs reach it as they are', async () => {
  const float32 = graphOf('Clip', 'float32');
  expect(await givenTo([], float32)).toBe(float32);
  const current = graphOf('Max', 'float16');
  expect(await givenTo(['shader-f16'], current)).toBe(current);
});
