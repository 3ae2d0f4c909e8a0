import { readFileSync } from 'node:fs';
import type { DenoiseRun } from '../../../src/runtime/backend.ts';
import type { Engine } from '../../../src/sampling/generate.ts';
import { parseTokenizer } from '../../../src/bundle/tokenizer/parse.ts';
import type { Header, Line } from '../../../cli/bench/file.ts';
import { type Method, methodsFor } from '../../../cli/bench/methods.ts';
import type { BenchResults } from '../../../cli/bench/results.ts';
import { type MethodResult, summarize } from '../../../cli/bench/summary.ts';
import { callFlops } from '../../../cli/lib/flops.ts';
import { AnalyticBackend } from '../support/analytic-backend.ts';
import { testManifest } from '../support/manifest.ts';

/** The analytic backend, whose pictures show their latents: 32x32, grey. */
class PaintingBackend extends AnalyticBackend {
  override async begin(start: Float32Array): Promise<DenoiseRun> {
    const run = await super.begin(start);
    const decode = run.decode.bind(run);
    run.decode = async () => {
      const latents = await run.latents();
      const picture = await decode();
      picture.pixels.forEach((_, i) => {
        picture.pixels[i] = i % 4 === 3 ? 255 : 128 + 40 * latents[(i >> 2) % latents.length]!;
      });
      return picture;
    };
    return run;
  }
}

export function testEngine(): Engine & { backend: AnalyticBackend } {
  const read = (name: string) =>
    parseTokenizer(
      readFileSync(new URL(`../../golden/tokenizers/${name}.json`, import.meta.url), 'utf8'),
      name,
    );
  return {
    backend: new PaintingBackend(),
    tokenizers: { t5: read('t5'), clip: read('clip') },
    manifest: testManifest(),
  };
}

export const HEADER: Header = {
  format: 'hicache-bench',
  version: 1,
  program: '1.2.3',
  model: 'abc',
  backend: 'cpu',
  precision: 'float32',
  steps: 20,
  shift: 1,
  width: 32,
  height: 32,
  prompts: 'def',
};

export function lineOf(change: Partial<Line> = {}): Line {
  return {
    case: 0,
    method: 'euler-7',
    settings: '0',
    computed: 7,
    calls: { trunk: 7, head: 7, feature: 0 },
    seconds: { total: 2, denoise: 1 },
    fullSeconds: { total: 8, denoise: 7 },
    forecastCost: null,
    psnr: 30,
    ssim: 0.9,
    latentError: 0.1,
    ...change,
  };
}

/** Every method at 7 and 14 of 50 steps, with made-up errors that fall with the compute steps. */
export function madeUpResults(
  accuracy: MethodResult['accuracy'] = null,
  errorOf: (method: Method, n: number) => number = (_, n) => 0.02 * (1 + n),
): BenchResults {
  const flops = callFlops(testManifest(), 4);
  const full = lineOf({ calls: { trunk: 50, head: 50, feature: 0 } });
  const methods = methodsFor(50, [7, 14]).map((method, n) => {
    const computed = method.budget ?? (method.group === 'reference' ? 50 : 10.5);
    const line = lineOf({ computed, latentError: errorOf(method, n) / computed });
    return summarize(method, [line], [full], flops, accuracy);
  });
  return {
    format: 'hicache-bench-results',
    version: 1,
    model: { title: 'Test <model>', manifest: 'abc' },
    program: '1.2.3',
    machine: '2 x processor',
    backend: { kind: 'cpu', adapter: 'a formula', precision: 'float32' },
    steps: 50,
    shift: 1,
    size: { width: 32, height: 32 },
    budgets: [7, 14],
    prompts: { count: 1, list: 'def' },
    flops,
    methods,
  };
}
