/** `hicache convert`: what it takes, and what it makes of it. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Manifest } from '../../../src/bundle/manifest.ts';
import { ModelProtoSchema } from '../../../src/bundle/proto/onnx_pb.ts';
import { fileOf } from '../convert/models.ts';
import { MemoryTensors } from '../convert/tensors.ts';
import {
  diffusersFiles,
  type Files,
  filesBesideSingle,
  singleFiles,
  writeFiles,
} from '../support/tiny-flux.ts';
import { converted, expectSameFiles, filesIn, refused } from './convert-run.ts';

const SINGLE = ['flux1-dev', 'ae', 'clip_l', 't5xxl_fp16'].map((name) => `${name}.safetensors`);

/** In milliseconds; everything here takes a second, on a busy machine several. */
const TIMEOUT = 120_000;

let scratch: string;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
/** A path in the scratch folder. */
const at = (path: string): string => join(scratch, path);
/** Where a test writes. */
let out: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'convert-command-'));
  await writeFiles(at('model'), diffusersFiles());
  await writeFiles(at('single'), singleFiles());
  await writeFiles(at('tokenizers'), filesBesideSingle());
  await converted(at('model'), '--out', at('plain'), '--quant', 'none');
  await converted(at('model'), '--out', at('int4'), '--quant', 'int4');
}, TIMEOUT);
afterAll(() => rm(scratch, { recursive: true }));
beforeEach(async () => {
  out = await mkdtemp(at('out-'));
});

test('--help says all options', async () => {
  const help = await converted('--help');
  for (const option of ['out', 'quant', 'memory', 'lora', 'token', 'verify', 'goldens']) {
    expect(help).toContain(`--${option}`);
  }
});

describe('what is converted', () => {
  let expected: Files;
  beforeAll(() => {
    expected = filesIn(at('int4'));
  });
  const jsonIn = (files: Files, path: string): unknown =>
    JSON.parse(new TextDecoder().decode(files.get(path)));

  test('--quant says how: less than a third of the bytes of --quant none', () => {
    const whole = filesIn(at('plain'));
    expect([...whole.keys()].sort()).toEqual([...expected.keys()].sort());
    const bytes = (files: Files): number => files.get('trunk.data')!.length;
    expect(bytes(expected)).toBeLessThan(0.33 * bytes(whole));
    const report = jsonIn(expected, 'conversion.json') as Record<string, unknown>;
    expect(report).toMatchObject({ quantization: 'int4' });
    expect(report['weights']).toContainEqual({
      name: 'single_transformer_blocks.1.proj_mlp.weight',
      storage: 'int4',
      relativeError: expect.closeTo(0.06, 2) as number,
    });
  });

  test('without --quant it is as the size of the model suggests', async () => {
    const said = await converted(at('model'), '--out', out);
    const files = filesIn(out);
    expect(jsonIn(files, 'conversion.json')).toMatchObject({ quantization: 'mixed' });
    expect(said).toContain(`${files.get('trunk.data')!.length}  trunk.data\n`);
    expect(said).toMatch(/Largest errors of quantized weights, of \d+ \(conversion.json has all\)/);
  });

  test('single files and a folder of tokenizers, in any order', async () => {
    const files = SINGLE.map((name) => at(`single/${name}`));
    for (const sources of [
      [...files, at('tokenizers')],
      [at('tokenizers'), ...files.toReversed()],
    ]) {
      await converted(...sources, '--out', out, '--quant', 'int4');
      expectSameFiles(filesIn(out), expected);
    }
  });

  test('single files of one name, each with others around it that were not given', async () => {
    const paths: string[] = [];
    for (const [i, name] of SINGLE.entries()) {
      await mkdir(at(`same/${i}`), { recursive: true });
      paths.push(at(`same/${i}/model.safetensors`));
      await copyFile(at(`single/${name}`), paths.at(-1)!);
      // In the first folder there is a file with the name of the next source's.
      await copyFile(at('single/clip_l.safetensors'), at(`same/${i}/ae.safetensors`));
    }
    await rename(paths[1]!, at('same/1/ae.safetensors'));
    paths[1] = at('same/1/ae.safetensors');
    await converted(...paths, at('tokenizers'), '--out', out, '--quant', 'int4');
    expectSameFiles(filesIn(out), expected);
  });

  test('into a folder with another bundle', async () => {
    await writeFiles(out, filesIn(at('plain')));
    await converted(at('model'), '--out', out, '--quant', 'int4');
    expectSameFiles(filesIn(out), expected);
  });
});

describe('--lora', () => {
  const MODULE = 'single_transformer_blocks.1.proj_mlp';
  const [INPUTS, OUTPUTS, RANK] = [64, 256, 2] as const;
  const down = Float32Array.from({ length: RANK * INPUTS }, (_, i) => ((i * 7) % 16) / 8 - 1);
  const up = Float32Array.from({ length: OUTPUTS * RANK }, (_, i) => ((i * 5) % 32) / 16 - 1);

  test.each([
    ['', 1],
    [':0.5', 0.5],
    [':-2', -2],
  ])('FILE%s adds the matrices times %d to their module alone', async (suffix, strength) => {
    const tensors = new MemoryTensors()
      .add(`${MODULE}.lora_A.weight`, [RANK, INPUTS], down)
      .add(`${MODULE}.lora_B.weight`, [OUTPUTS, RANK], up);
    await writeFile(at('lora.safetensors'), await fileOf({ 'transformer.': tensors }));
    const lora = ['--lora', at('lora.safetensors') + suffix];
    await converted(at('model'), '--out', out, '--quant', 'none', ...lora);
    const [plain, changed] = [filesIn(at('plain')), filesIn(out)];
    expectSameFiles(changed, plain, ['trunk.data', 'manifest.json']);

    const before = initializers(plain);
    const after = initializers(changed);
    const different = [...after.keys()].filter((name) => {
      return Buffer.compare(bytesOf(after.get(name)!), bytesOf(before.get(name)!)) !== 0;
    });
    expect(different).toEqual([`${MODULE}.weight`]);
    const [weight, sum] = [before.get(`${MODULE}.weight`)!, after.get(`${MODULE}.weight`)!];
    for (let i = 0; i < INPUTS; i++) {
      for (let o = 0; o < OUTPUTS; o++) {
        let added = 0;
        for (let k = 0; k < RANK; k++) added += up[o * RANK + k]! * down[k * INPUTS + i]!;
        const index = i * OUTPUTS + o;
        expect(sum[index]).toBeCloseTo(weight[index]! + strength * added, 5);
      }
    }
  });

  /** The trunk's tensors in trunk.data; matrices are stored as [inputs, outputs]. */
  function initializers(files: Files): Map<string, Float32Array> {
    const { graph } = fromBinary(ModelProtoSchema, files.get('trunk.float32.onnx')!);
    const data = files.get('trunk.data')!;
    return new Map(
      graph!.initializer.flatMap(({ name, externalData }) => {
        const said = new Map(externalData.map(({ key, value }) => [key, value]));
        if (said.get('location') !== 'trunk.data') return [];
        const offset = Number(said.get('offset'));
        const bytes = data.slice(offset, offset + Number(said.get('length')));
        return [[name, new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)]];
      }),
    );
  }
  const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
    new Uint8Array(buffer, byteOffset, byteLength);
});

describe('--verify', () => {
  test('right after converting, and of a bundle that is there', { timeout: TIMEOUT }, async () => {
    const ok = 'Verified: every hash agrees, and all 10 graphs load.\n';
    expect(await converted(at('model'), '--out', out, '--quant', 'int4', '--verify')).toContain(ok);
    expect(await converted('--verify', '--out', out)).toBe(ok);
  });

  test.each([
    ['a flipped byte', 'decoder.data', 'The file decoder.data is damaged: its SHA-256 is'],
    ['a truncated file', 't5.data', 'The file t5.data is cut short: it has'],
    ['a missing file', 'clip.onnx', 'The file clip.onnx is missing'],
  ])('finds %s', async (fault, file, message) => {
    await writeFiles(out, filesIn(at('int4')));
    const bytes = filesIn(out).get(file)!;
    if (fault === 'a missing file') await rm(join(out, file));
    if (fault === 'a truncated file') await truncate(join(out, file), bytes.length - 1);
    if (fault === 'a flipped byte') {
      bytes[Math.floor(bytes.length / 2)]! ^= 4;
      await writeFile(join(out, file), bytes);
    }
    const error = await refused('--verify', '--out', out);
    expect(error.code).toBe('bad-bundle');
    expect(error.message).toContain(message);
  });

  test('finds a graph that does not load, though its hash agrees', async () => {
    const graph = encode('no graph');
    const files = new Map(filesIn(at('int4'))).set('clip.onnx', graph);
    const manifest = JSON.parse(new TextDecoder().decode(files.get('manifest.json'))) as Manifest;
    manifest.files['clip.onnx'] = {
      bytes: graph.length,
      sha256: createHash('sha256').update(graph).digest('hex'),
    };
    await writeFiles(out, files.set('manifest.json', encode(JSON.stringify(manifest))));
    const error = await refused('--verify', '--out', out);
    expect(error.code).toBe('bad-bundle');
    expect(error.message).toContain('clip.onnx');
  });

  test('of a folder without a bundle', async () => {
    const error = await refused('--verify', '--out', out);
    expect(error.code).toBe('not-found');
    expect(error.message).toContain(join(out, 'manifest.json'));
  });
});
