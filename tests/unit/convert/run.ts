/** Runs a bundle's graphs on ONNX Runtime's CPU build, one by one or as a whole sampling loop. */
import { Tensor } from 'onnxruntime-web/wasm';
import type { Bundle } from '../../../src/bundle/bundle.ts';
import type { GraphFiles } from '../../../src/bundle/manifest.ts';
import { floatsToHalves, numbersOf } from '../../../src/shared/half.ts';
import { onlySegment, openSession } from '../../../cli/lib/deviation.ts';
import type { GoldenIndex, Goldens } from '../../../cli/lib/goldens.ts';

type Feeds = Readonly<Record<string, Tensor>>;
type Run = (feeds: Feeds) => Promise<Float32Array>;

/** Float32 feeds are converted where the graph takes float16, and its output to float32. */
export async function runGraph(
  bundle: Bundle,
  files: GraphFiles,
  feeds: Feeds,
): Promise<Float32Array> {
  return withGraph(bundle, files, (run) => run(feeds));
}

async function withGraph<T>(
  bundle: Bundle,
  files: GraphFiles,
  use: (run: Run) => Promise<T>,
): Promise<T> {
  const session = await openSession(bundle, files);
  try {
    return await use(async (feeds) => {
      const fitting = session.inputMetadata.map((input) => {
        const feed = feeds[input.name]!;
        return [input.name, input.isTensor && input.type === 'float16' ? halved(feed) : feed];
      });
      const outputs = await session.run(Object.fromEntries(fitting) as Feeds);
      return numbersOf(outputs[session.outputNames[0]!]!.data);
    });
  } finally {
    await session.release();
  }
}

const halved = (tensor: Tensor): Tensor =>
  new Tensor('float16', floatsToHalves(tensor.data as Float32Array), tensor.dims);

/** Prompt to picture by plain Euler steps, from the golden's token ids, noise and sigmas. */
export async function sample(
  bundle: Bundle,
  goldens: Goldens,
  loop: GoldenIndex['loops'][number],
): Promise<{ latents: Float32Array; image: Float32Array }> {
  const { components } = bundle.manifest;
  const { t5Ids, clipIds, clipEnd } = goldens.index.texts[loop.prompt]!;
  const integers = (values: readonly number[], shape: readonly number[]): Tensor =>
    new Tensor('int32', Int32Array.from(values), shape);
  const floats = (data: Float32Array, ...shape: number[]): Tensor =>
    new Tensor('float32', data, shape);
  const golden = async (name: string): Promise<Tensor> => {
    const { data, shape } = await goldens.array(name);
    return floats(data, ...shape);
  };

  const text = await runGraph(bundle, onlySegment(components.t5.float32), {
    input_ids: integers(t5Ids, [1, t5Ids.length]),
  });
  const pooled = await runGraph(bundle, components.clip.float32, {
    input_ids: integers(clipIds, [1, clipIds.length]),
    end: integers([clipEnd], [1]),
  });
  const start = await goldens.array(loop.start);
  const [, tokens = 0, width = 0] = start.shape;
  const latents = start.data;
  const guidance = loop.guidance !== null && {
    guidance: floats(Float32Array.of(loop.guidance), 1),
  };
  const constant = {
    text: floats(text, 1, t5Ids.length, text.length / t5Ids.length),
    pooled: floats(pooled, 1, pooled.length),
    rotary_cos: await golden(loop.rotaryCos),
    rotary_sin: await golden(loop.rotarySin),
    ...guidance,
  };
  const trunkFiles = onlySegment(components.trunk.float32);
  await withGraph(bundle, trunkFiles, (trunk) =>
    withGraph(bundle, components.head.float32, async (head) => {
      for (let i = 0; i < loop.steps; i++) {
        const sigma = loop.sigmas[i]!;
        const timestep = floats(Float32Array.of(sigma), 1);
        const features = await trunk({
          ...constant,
          latents: floats(latents, 1, tokens, width),
          timestep,
        });
        const velocity = await head({
          features: floats(features, 1, tokens, features.length / tokens),
          pooled: constant.pooled,
          ...guidance,
          timestep,
        });
        const delta = loop.sigmas[i + 1]! - sigma;
        for (let j = 0; j < latents.length; j++) latents[j]! += delta * velocity[j]!;
      }
    }),
  );
  const grid = [1, loop.height / 16, loop.width / 16, width];
  const image = await runGraph(bundle, components.decoder.float32, {
    latents: floats(latents, ...grid),
  });
  return { latents, image };
}
