import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type CacheSettings, MAX_ANCHORS, PUBLISHED } from '../../../src/forecast/settings.ts';
import { AppError } from '../../../src/shared/errors.ts';
import { type Control, type Engine, generate } from '../../../src/sampling/generate.ts';
import type { GenerateEvent, GenerateRequest } from '../../../src/sampling/job.ts';
import { startingLatents } from '../../../src/sampling/latents.ts';
import { flowTimes } from '../../../src/sampling/scheduler.ts';
import { ENGLISH } from '../../../src/prompt/words/english.ts';
import { KnownWords } from '../../../src/prompt/words/known-words.ts';
import { parseTokenizer } from '../../../src/bundle/tokenizer/parse.ts';
import { AnalyticBackend, headOf, trunkOf } from '../support/analytic-backend.ts';
import { testManifest } from '../support/manifest.ts';
import { VOCABULARY } from '../support/vocabulary.ts';

const tokenizerOf = (name: string): Engine['tokenizers']['t5'] =>
  parseTokenizer(
    readFileSync(new URL(`../../golden/tokenizers/${name}.json`, import.meta.url), 'utf8'),
    name,
  );
const manifest = testManifest();
const tokenizers = { t5: tokenizerOf('t5'), clip: tokenizerOf('clip') };

const REQUEST: GenerateRequest = {
  prompt: 'a big fox and a zebra',
  seed: 7,
  steps: 50,
  sampler: 'euler',
  width: 32,
  height: 32,
  cache: PUBLISHED,
  preview: false,
};

interface Made {
  readonly backend: AnalyticBackend;
  readonly events: GenerateEvent[];
  readonly result: ReturnType<typeof generate>;
}

function start(change: Partial<GenerateRequest> = {}, control: Partial<Control> = {}): Made {
  const backend = new AnalyticBackend();
  const request = { ...REQUEST, ...change };
  const events: GenerateEvent[] = [];
  const result = generate({ backend, tokenizers, manifest }, request, {
    settings: () => request.cache,
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
    ...control,
  });
  return { backend, events, result };
}

const stepEvents = (events: GenerateEvent[]): Extract<GenerateEvent, { kind: 'step' }>[] =>
  events.filter((event) => event.kind === 'step');

describe('a run', () => {
  test('with basis none is plain Euler over the trunk and the head', async () => {
    const { backend, result } = start({ steps: 12, cache: { ...PUBLISHED, basis: 'none' } });
    await result;
    const x = startingLatents(7, { rows: 2, columns: 2 }, 16);
    const sigmas = flowTimes(12, 4, manifest.scheduler);
    for (let i = 0; i < 12; i++) {
      const [sigma, next] = [sigmas[i]!, sigmas[i + 1]!];
      for (const n of x.keys()) x[n]! += (next - sigma) * headOf(trunkOf(x[n]!, sigma), sigma);
    }
    expect(backend.decoded).toEqual(x);
  });

  test('forecasts by the hermite formula from the newest anchors', async () => {
    const cache = { ...PUBLISHED, order: 1, sigma: 0.6, interval: 3, firstEnhance: 2 };
    const { backend, result } = start({ steps: 10, cache });
    await result;

    const x = startingLatents(7, { rows: 2, columns: 2 }, 16);
    const sigmas = flowTimes(10, 4, manifest.scheduler);
    const anchors: { step: number; features: number[] }[] = [];
    for (let step = 0; step < 10; step++) {
      const sigma = sigmas[step]!;
      let features = Array.from(x, (value) => trunkOf(value, sigma));
      if ([0, 1, 4, 7].includes(step)) {
        anchors.unshift({ step, features });
      } else {
        const [newest, older] = [anchors[0]!, anchors[1]!];
        const c1 = (2 * 0.6 ** 2 * (step - newest.step)) / (newest.step - older.step);
        features = newest.features.map((value, n) => value + c1 * (value - older.features[n]!));
      }
      for (const n of x.keys()) {
        x[n]! += (sigmas[step + 1]! - sigma) * headOf(features[n]!, sigma);
      }
    }
    for (const n of x.keys()) expect(backend.decoded![n]).toBeCloseTo(x[n]!, 5);
  });

  test('corrects the forecasts before a compute step between two true features', async () => {
    const cache = {
      ...PUBLISHED,
      basis: 'newton',
      order: 1,
      abscissa: 'flow',
      interval: 3,
      firstEnhance: 1,
      correct: true,
    } as const;
    const { backend, result } = start({ steps: 5, cache });
    await result;

    const x = startingLatents(7, { rows: 2, columns: 2 }, 16);
    const sigmas = flowTimes(5, 4, manifest.scheduler);
    const move = (values: Float32Array, features: readonly number[], step: number): void => {
      for (const n of values.keys()) {
        values[n]! += (sigmas[step + 1]! - sigmas[step]!) * headOf(features[n]!, sigmas[step]!);
      }
    };
    const first = Array.from(x, (value) => trunkOf(value, sigmas[0]!));
    move(x, first, 0);
    const predicted = Float32Array.from(x);
    for (const step of [1, 2]) move(predicted, first, step);
    const second = Array.from(predicted, (value) => trunkOf(value, sigmas[3]!));
    for (const step of [1, 2]) {
      const part = (sigmas[0]! - sigmas[step]!) / (sigmas[0]! - sigmas[3]!);
      move(
        x,
        first.map((value, n) => (1 - part) * value + part * second[n]!),
        step,
      );
    }
    move(x, second, 3);
    const ahead = (sigmas[3]! - sigmas[4]!) / (sigmas[0]! - sigmas[3]!);
    move(
      x,
      second.map((value, n) => value + ahead * (value - first[n]!)),
      4,
    );
    for (const n of x.keys()) expect(backend.decoded![n]).toBeCloseTo(x[n]!, 5);
  });

  test('with the second-order sampler is Adams-Bashforth, corrected forecasts included', async () => {
    const none = { ...PUBLISHED, basis: 'none' } as const;
    const { backend, result } = start({ steps: 6, sampler: 'adams', cache: none });
    await result;
    const x = startingLatents(7, { rows: 2, columns: 2 }, 16);
    const sigmas = flowTimes(6, 4, manifest.scheduler);
    let before: number[] | undefined;
    for (let step = 0; step < 6; step++) {
      const velocity = Array.from(x, (value) =>
        headOf(trunkOf(value, sigmas[step]!), sigmas[step]!),
      );
      const h = sigmas[step + 1]! - sigmas[step]!;
      const r = step === 0 ? 0 : h / (sigmas[step]! - sigmas[step - 1]!);
      for (const n of x.keys()) {
        x[n]! += h * ((1 + r / 2) * velocity[n]! - (r / 2) * (before?.[n] ?? 0));
      }
      before = velocity;
    }
    for (const n of x.keys()) expect(backend.decoded![n]).toBeCloseTo(x[n]!, 4);

    // Where nothing is forecast, nothing is corrected; where something is, the run still holds.
    const every = { ...PUBLISHED, interval: 1, correct: true };
    const same = start({ steps: 6, sampler: 'adams', cache: every });
    await same.result;
    expect(same.backend.decoded).toEqual(backend.decoded);
    const some = start({
      steps: 20,
      sampler: 'adams',
      cache: {
        ...PUBLISHED,
        basis: 'newton',
        order: 1,
        abscissa: 'flow',
        interval: 2,
        correct: true,
      },
    });
    const truth = start({ steps: 20, sampler: 'adams', cache: none });
    await Promise.all([some.result, truth.result]);
    some.backend.decoded!.forEach((value, n) =>
      expect(Math.abs(value - truth.backend.decoded![n]!)).toBeLessThan(0.05),
    );
  });

  test('is corrected only from where the latents were kept', async () => {
    let step = 0;
    const plain = { ...PUBLISHED, interval: 4, firstEnhance: 1 };
    const { backend, result } = start(
      { steps: 12 },
      { settings: () => ({ ...plain, correct: step++ >= 6 }) },
    );
    await result;
    // Computed: 0, 4 without correction, 8 with it; what was made from 4 on cannot be made again.
    expect(backend.calls.filter((call) => call === 'rewind')).toHaveLength(0);
    expect(backend.calls.filter((call) => call === 'mark')).toHaveLength(1);
  });

  test('never waits for a verification before the picture is decoded', async () => {
    const readings: (() => void)[] = [];
    let decoding: () => void = () => undefined;
    const decoded = new Promise<void>((resolve) => (decoding = resolve));
    const events: GenerateEvent[] = [];
    const { backend, result } = start(
      { steps: 30 },
      {
        onEvent: (event) => {
          events.push(event);
          if (event.kind === 'decoding') decoding();
        },
      },
    );
    backend.reading = () => new Promise((resolve) => readings.push(resolve));
    // A run that waited for one of them would never get there.
    await decoded;
    expect(stepEvents(events)).toHaveLength(30);
    for (const arrive of readings) arrive();
    const { stats } = await result;
    expect(readings).toHaveLength(stats.computeSteps.length);
    expect(stats.verifications).toHaveLength(stats.computeSteps.length - 1);
  });

  test.each(['device-lost', 'cancelled'] as const)(
    'goes on without a reading that fails with %s, and names what was not verified',
    async (code) => {
      const { backend, result } = start({ steps: 20 });
      let readings = 0;
      backend.reading = () =>
        ++readings === 4 ? Promise.reject(new AppError(code, 'Gone.', '')) : Promise.resolve();
      const { stats } = await result;
      expect(stats.computeSteps).toEqual([0, 1, 2, 9, 16]);
      expect(stats.verifications.map(({ step }) => step)).toEqual([1, 2, 16]);
      expect(stats.unverifiedSteps).toEqual([3, 4, 5, 6, 7, 8, 17, 18, 19]);
    },
  );

  test.each([new RangeError('there are no 3 older anchors'), new TypeError('a fault')])(
    'ends with any other failure of a reading, at the next compute step: %s',
    async (fault) => {
      const { backend, events, result } = start({ steps: 20 });
      let readings = 0;
      backend.reading = () => (++readings === 4 ? Promise.reject(fault) : Promise.resolve());
      await expect(result).rejects.toBe(fault);
      expect(stepEvents(events).at(-1)!.step).toBe(15);
      expect(backend.calls.slice(-2)).toEqual(['dispose run', 'dispose conditioning']);
    },
  );

  test('ends with a fault of the policy that the last verification brings out', async () => {
    const { backend, result } = start({ steps: 10 });
    let readings = 0;
    // Too few inner products for as many anchors.
    backend.products = (packed) => (++readings === 4 ? packed.subarray(0, 2) : packed);
    await expect(result).rejects.toThrow(RangeError);
  });

  test('is verified where a switch to computing every step ends forecasts', async () => {
    let step = 0;
    const none = { ...PUBLISHED, basis: 'none' } as const;
    const { stats } = await start(
      { steps: 12 },
      { settings: () => (step++ < 6 ? PUBLISHED : none) },
    ).result;
    expect(stats.verifications.map((one) => one.step)).toEqual([1, 2, 6]);
    expect(stats.verifications.at(-1)!.served!.error).toBeGreaterThan(0);
    expect(stats.unverifiedSteps).toEqual([]);
  });

  test('computes every step after a feature that is not finite, and says so', async () => {
    const made = start({ steps: 20 });
    made.backend.breakAt = 4;
    const { stats } = await made.result;
    expect(stats.nonFinite).toBe(true);
    expect(stats.computeSteps).toEqual([0, 1, 2, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect((await start({ steps: 20 }).result).stats.nonFinite).toBe(false);
  });

  test('verifies every compute step and samples the differences when asked', async () => {
    const { stats } = await start({ study: true }).result;
    expect(stats.verifications.map(({ step }) => step)).toEqual([1, 2, 9, 16, 23, 30, 37, 44]);
    expect(stats.unverifiedSteps).toEqual([45, 46, 47, 48, 49]);
    expect(stats.flowTimes).toHaveLength(51);
    const samples = stats.differenceSamples!;
    const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
    expect(mean).toBeCloseTo(0, 6);
    expect((await start().result).stats.differenceSamples).toBeNull();
  });

  test('keeps a seed of 64 bits exactly, and starts from its noise', async () => {
    const seed = '18446744073709551615';
    const none = { ...PUBLISHED, basis: 'none' } as const;
    const wide = start({ seed, steps: 2, cache: none });
    const { stats } = await wide.result;
    expect(stats.seed).toBe(seed);
    expect((JSON.parse(JSON.stringify(stats)) as typeof stats).seed).toBe(seed);
    const narrow = start({ seed: 2 ** 32 - 1, steps: 2, cache: none });
    await narrow.result;
    expect(wide.backend.decoded).toEqual(narrow.backend.decoded);
  });

  test('tells what it does, step by step, and sums it up', async () => {
    const { backend, events, result } = start();
    const { stats, width, height, pixels } = await result;
    expect([width, height, pixels.length]).toEqual([32, 32, 32 * 32 * 4]);
    const computeSteps = [0, 1, 2, 9, 16, 23, 30, 37, 44];
    const unknownWords = [{ word: 'zebra', places: [], suggestions: [] }];
    expect(events[0]).toMatchObject({ kind: 'text', reading: { unknownWords } });
    expect(events.at(-1)).toEqual({ kind: 'decoding' });
    const told = stepEvents(events);
    expect(told.map(({ step }) => step)).toEqual([...Array(50).keys()]);
    expect(told.filter(({ computed }) => computed).map(({ step }) => step)).toEqual(computeSteps);
    for (const { seconds, secondsLeft } of told) {
      expect(seconds).toBeGreaterThanOrEqual(0);
      expect(secondsLeft).toBeGreaterThanOrEqual(0);
    }
    expect(stats).toMatchObject({
      prompt: REQUEST.prompt,
      unknownWords: ['zebra'],
      seed: 7,
      steps: 50,
      width: 32,
      height: 32,
      computeSteps,
      cache: [{ fromStep: 0, settings: PUBLISHED }],
      backend: 'cpu',
      adapter: 'a formula',
      precision: 'float32',
      backendReason: 'It was asked for.',
    });
    const { total, ...stages } = stats.seconds;
    expect(Object.keys(stages).sort()).toEqual(['decode', 'forecast', 'head', 'text', 'trunk']);
    expect(Object.values(stages).reduce((sum, value) => sum + value, 0)).toBeLessThanOrEqual(total);
    expect(backend.calls.filter((call) => call === 'settle')).toHaveLength(50);
  });

  test('goes by the vocabulary where there is one', async () => {
    const events: GenerateEvent[] = [];
    const knownWords = new KnownWords(VOCABULARY, ENGLISH);
    const engine = { backend: new AnalyticBackend(), tokenizers, knownWords, manifest };
    const request = { ...REQUEST, steps: 2, prompt: 'a striped wolf and an Appel' };
    const { stats } = await generate(engine, request, {
      settings: () => PUBLISHED,
      signal: new AbortController().signal,
      onEvent: (event) => events.push(event),
    });
    const unknownWords = [{ word: 'Appel', places: [[22, 27]], suggestions: ['apple'] }];
    expect(events[0]).toMatchObject({ kind: 'text', reading: { unknownWords } });
    expect(stats.unknownWords).toEqual(['Appel']);
    expect(stats.promptCuts).toEqual({ t5: null, clip: null });
  });

  test('encodes words in the place of emoji, and keeps in its stats where it stopped reading', async () => {
    const knownWords = new KnownWords({ ...VOCABULARY, emoji: { '🦊': 'fox' } }, ENGLISH);
    const engine = { backend: new AnalyticBackend(), tokenizers, knownWords, manifest };
    const prompt = `a 🦊 ${Array<string>(40).fill('blue').join(' ')}`;
    const { stats } = await generate(
      engine,
      { ...REQUEST, steps: 1, prompt },
      {
        settings: () => PUBLISHED,
        signal: new AbortController().signal,
        onEvent: () => undefined,
      },
    );
    expect(stats.prompt).toBe(prompt);
    expect(stats.encodedPrompt).toBe(prompt.replace('🦊', 'fox'));
    const { t5 } = stats.promptCuts;
    expect(t5).toMatchObject({ word: 'blue', partial: false });
    expect(prompt.slice(0, t5!.end).split(' ')).toHaveLength(manifest.text.t5Tokens - 1);
  });

  test('hands the guidance scale on and keeps it in its stats', async () => {
    const guided = testManifest();
    guided.transformer.guidance = true;
    for (const [guidance, expected] of [
      [undefined, 3.5],
      [0, 0],
      [7.5, 7.5],
    ] as const) {
      const backend = new AnalyticBackend();
      const request = { ...REQUEST, steps: 2, guidance };
      const { stats } = await generate({ backend, tokenizers, manifest: guided }, request, {
        settings: () => PUBLISHED,
        signal: new AbortController().signal,
        onEvent: () => undefined,
      });
      expect(stats.guidance).toBe(expected);
      expect(backend.options?.guidance).toBe(expected);
    }
    const plain = start({ steps: 2 });
    expect((await plain.result).stats.guidance).toBeNull();
    expect(plain.backend.options?.guidance).toBeUndefined();
    await expect(start({ guidance: 2 }).result).rejects.toMatchObject({ code: 'bad-request' });
  });

  test('tells what is loaded on the way', async () => {
    const made = start({ steps: 2 });
    made.backend.loading = { component: 'transformer, part 1 of 2', loadedBytes: 3, bytes: 9 };
    await made.result;
    expect(made.events.filter(({ kind }) => kind === 'loading')).toEqual([
      { kind: 'loading', ...made.backend.loading },
      { kind: 'loading', ...made.backend.loading },
    ]);
  });

  test('of one step, and of fewer steps than are always computed', async () => {
    expect((await start({ steps: 1 }).result).stats.computeSteps).toEqual([0]);
    const { stats } = await start({ steps: 2 }).result;
    expect(stats.computeSteps).toEqual([0, 1]);
    expect(stats.speedup).toBe(1);
  });

  test('never asks for more weights than there are anchors, or than are kept', async () => {
    const cache = { ...PUBLISHED, order: 4, interval: 2, firstEnhance: 1 };
    const { backend, result } = start({ steps: 30, cache });
    await result;
    const lengths = backend.calls
      .filter((call) => call.startsWith('forecast'))
      .map((call) => Number(call.split(' ')[1]));
    expect(lengths.slice(0, 4)).toEqual([1, 2, 3, 4]);
    expect(Math.max(...lengths)).toBe(5);
    const all = start({ steps: 30, cache: { ...cache, basis: 'chebyshev' } });
    await all.result;
    expect(all.backend.calls).toContain(`forecast ${MAX_ANCHORS}`);
    expect(all.backend.calls).not.toContain(`forecast ${MAX_ANCHORS + 1}`);
  });
});

describe('on the way', () => {
  test('new settings hold from the next step', async () => {
    let settings: CacheSettings = PUBLISHED;
    const taylor: CacheSettings = { ...PUBLISHED, basis: 'taylor', interval: 2 };
    const { events, result } = start(
      { steps: 20 },
      {
        settings: () => settings,
        // A message that arrives while the run waits before step 10.
        yieldToEvents: async () => {
          await Promise.resolve();
          if (stepEvents(events).length === 10) settings = taylor;
        },
      },
    );
    const { stats } = await result;
    expect(stats.cache).toEqual([
      { fromStep: 0, settings: PUBLISHED },
      { fromStep: 10, settings: taylor },
    ]);
    expect(stats.computeSteps).toEqual([0, 1, 2, 9, 11, 13, 15, 17, 19]);
    expect(stepEvents(events).map(({ cache }) => cache.basis)).toEqual([
      ...Array<string>(10).fill('hermite'),
      ...Array<string>(10).fill('taylor'),
    ]);
  });

  test('messages of the caller get in between two steps', async () => {
    const { port1, port2 } = new MessageChannel();
    const seen: number[] = [];
    let arrived = 0;
    port1.onmessage = () => arrived++;
    const { result } = start(
      { steps: 20 },
      {
        settings: () => {
          seen.push(arrived);
          port2.postMessage(null);
          return PUBLISHED;
        },
      },
    );
    await result;
    port1.close();
    // Each arrives before the step after the one during which it was sent.
    expect(seen).toEqual([...Array(20).keys()]);
  });

  test('a cancel ends the run before its next step and frees it', async () => {
    const abort = new AbortController();
    const made: Made = start(
      {},
      {
        signal: abort.signal,
        onEvent: (event) => {
          if (event.kind === 'step' && event.step === 4) abort.abort();
        },
      },
    );
    await expect(made.result).rejects.toMatchObject({ name: 'AppError', code: 'cancelled' });
    expect(made.backend.calls.filter((call) => call === 'settle')).toHaveLength(5);
    expect(made.backend.calls.slice(-2)).toEqual(['dispose run', 'dispose conditioning']);
    expect(made.backend.calls).not.toContain('decode');
  });

  test('a failure of the backend frees the run too', async () => {
    const made = start();
    made.backend.failure = new AppError('device-lost', 'The GPU went away.', 'Reload.');
    await expect(made.result).rejects.toMatchObject({ code: 'device-lost' });
    expect(made.backend.calls.slice(-2)).toEqual(['dispose run', 'dispose conditioning']);
  });

  test('settings that are not possible end the run by name', async () => {
    let asked = 0;
    const { result } = start(
      {},
      { settings: () => (++asked > 3 ? { ...PUBLISHED, order: 9 } : PUBLISHED) },
    );
    await expect(result).rejects.toMatchObject({ code: 'bad-request' });
    await expect(result).rejects.toThrow(/order must be/);
  });
});

describe('previews', () => {
  test('come through the model’s linear map, one pixel per latent', async () => {
    const { backend, events, result } = start({ preview: true, steps: 3 });
    await result;
    const first = events.find((event) => event.kind === 'preview')!;
    expect([first.width, first.height]).toEqual([4, 4]);
    expect(backend.calls).toContain('estimate');

    // After the first step: red is channel 0 of latents − sigma·velocity, green 0.5, blue 1.
    const x = startingLatents(7, { rows: 2, columns: 2 }, 16);
    const [sigma, next] = flowTimes(3, 4, manifest.scheduler);
    const expected = [];
    for (let row = 0; row < 4; row++) {
      for (let column = 0; column < 4; column++) {
        const token = (row >> 1) * 2 + (column >> 1);
        const value = x[token * 64 + (row & 1) * 2 + (column & 1)]!;
        const velocity = headOf(trunkOf(value, sigma!), sigma!);
        const red = value + (next! - sigma!) * velocity - next! * velocity;
        expected.push(...new Uint8ClampedArray([red * 255, 127.5, 255, 255]));
      }
    }
    for (const [i, value] of expected.entries()) {
      expect(Math.abs(first.pixels[i]! - value)).toBeLessThanOrEqual(1);
    }
  });

  test('are not made unless asked for', async () => {
    const { backend, events, result } = start({ preview: false, steps: 3 });
    await result;
    expect(events.some((event) => event.kind === 'preview')).toBe(false);
    expect(backend.calls).not.toContain('estimate');
  });
});
