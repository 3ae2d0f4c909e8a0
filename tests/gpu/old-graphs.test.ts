import { expect, test } from 'vitest';
import { outputOf, runSession } from '../../src/runtime/ort/session.ts';
import { WebGpuSessions } from '../../src/runtime/webgpu/sessions.ts';
import { DeviceWatch } from '../../src/gpu/watch.ts';
import { floatsToHalves, numbersOf } from '../../src/shared/half.ts';
import { GraphBuilder } from '../../src/convert/graphs/builder.ts';
import { nodeHost } from '../../src/node/ort.ts';
import { needsShaders, testDevice } from './support.ts';

/** Twice the input, clipped as in the trunks that earlier versions converted. */
function oldGraph(): Uint8Array {
  const graph = new GraphBuilder('trunk', 'float16');
  const x = graph.input('x', 'float16', ['n']);
  const bounds = [-65504, 65504].map((bound) => graph.floats(`bound ${bound}`, [], [bound]));
  const doubled = graph.op('Mul', [x, graph.scalar(2)]);
  graph.output('y', 'float16', ['n'], graph.op('Clip', [doubled, ...bounds]));
  return graph.encode();
}

test('a float16 graph of an earlier version clips at 60000', async (context) => {
  await needsShaders('float16', context);
  const host = await nodeHost();
  const { ort } = await host.ort.webgpu();
  const watch = new DeviceWatch(await testDevice());
  const convolution = () => host.selfTestFile('convolution.onnx');
  const sessions = new WebGpuSessions(ort, watch, false, convolution);
  const place = { last: true, sparing: false };
  const session = await sessions.create(oldGraph(), [], place);
  const halves = floatsToHalves(Float32Array.of(40_000, 29_984, 3, -3, -29_984, -65_504));
  const feeds = { x: new ort.Tensor('float16', halves, [halves.length]) };
  const result = outputOf(await runSession(watch, session, feeds), 'y');
  const numbers = numbersOf(await watch.run(() => result.getData()));
  expect([...numbers]).toEqual([60_000, 59_968, 6, -6, -59_968, -60_000]);
  await sessions.release(session, place);
  watch.device.destroy();
});
