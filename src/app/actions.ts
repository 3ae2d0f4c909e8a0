/** What people can do on the page. Writes state and steers the engine's worker. */
import { batch } from '@preact/signals';
import { AppError, type ErrorCode, reportOf } from '../shared/errors.ts';
import type { CacheSettings } from '../forecast/settings.ts';
import type { EngineInfo, GenerateEvent, GenerateRequest } from '../workers/engine/api.ts';
import { parseSeed, type Seed } from '../shared/seed.ts';
import { readAddress } from './address.ts';
import { duration } from './controls/format.ts';
import { currentEngine, engineFailed, loadEngine, loadModel, readyEngine } from './loading.ts';
import { recall, remember } from './saved-settings.ts';
import * as state from './state.ts';
import {
  cacheProblem,
  guidanceProblem,
  promptProblem,
  seedProblem,
  stepsProblem,
} from './validate.ts';
import { watchPrompt } from './prompt/hints.ts';

/** Ends the wait for a model that is still loading. */
let stopWaiting: ((reason: AppError) => void) | undefined;

/** Starts the page: the settings of the last visit, and the model that the address asks for. */
export async function openPage(address: string): Promise<void> {
  const lastModel = await recall();
  try {
    const { model, backend } = readAddress(address);
    state.backend.value = backend;
    loadModel(model ?? lastModel);
  } catch (error) {
    state.engine.value = { kind: 'failed' };
    state.notice.value = { report: reportOf(error) };
  }
  remember();
  watchPrompt();
}

export async function generate(): Promise<void> {
  if (state.run.value) return;
  const problem = firstProblem();
  if (problem) {
    state.notice.value = { report: problem };
    return;
  }
  const before = { records: state.records.value, unknownWords: state.unknownWords.value };
  batch(() => {
    state.notice.value = undefined;
    state.run.value = { phase: 'waiting', steps: state.steps.value, cancelling: false };
    state.records.value = [];
    state.unknownWords.value = [];
    state.preview.value = undefined;
  });
  try {
    await runToEnd();
  } catch (error) {
    batch(() => {
      // What is still on show is the picture before; so are its steps and notices.
      state.records.value = before.records;
      state.unknownWords.value = before.unknownWords;
      showRunError(error);
    });
  } finally {
    batch(() => {
      state.run.value = undefined;
      state.preview.value = undefined;
    });
  }
}

async function runToEnd(): Promise<void> {
  if (state.engine.value.kind === 'failed') loadEngine();
  const abandoned = new Promise<never>((_, reject) => (stopWaiting = reject));
  const { client, info } = await Promise.race([readyEngine(), abandoned]);

  const request = readRequest(info);
  setPhase('text');
  const result = await client.generate(request, onEvent);
  batch(() => {
    state.finished.value = { request, result };
    state.announcement.value = `Finished in ${duration(result.stats.seconds.total)}.`;
  });
}

function readRequest({ model }: EngineInfo): GenerateRequest {
  if (state.randomSeed.value) drawSeed();
  const size = model.sizes[state.sizeIndex.value];
  if (!size) throw new AppError('bad-request', 'No size is chosen.', 'Choose one of the sizes.');
  return {
    prompt: state.prompt.value.trim(),
    seed: readSeed(),
    steps: state.run.value?.steps ?? state.steps.value,
    sampler: state.sampler.value,
    width: size.width,
    height: size.height,
    guidance: model.defaultGuidance === null ? undefined : state.guidance.value,
    cache: state.cache.value,
    preview: true,
    study: true,
  };
}

function readSeed(): Seed {
  const seed = parseSeed(state.seed.value);
  if (seed !== undefined) return seed;
  const hint = 'Correct it, or let every picture have a new one.';
  throw new AppError('bad-request', 'The seed is not valid.', hint);
}

function firstProblem() {
  const { prompt, steps, guidance, seed, randomSeed, cache, info } = state;
  const usualGuidance = info.value?.model.defaultGuidance ?? null;
  const problems = [
    [promptProblem(prompt.value), 'Say what the picture should show, or take an example.'],
    [
      stepsProblem(steps.value),
      `${info.value?.model.defaultSteps ?? 50} steps is the usual choice.`,
    ],
    [
      usualGuidance === null ? undefined : guidanceProblem(guidance.value),
      `${usualGuidance} is the usual choice.`,
    ],
    [
      randomSeed.value ? undefined : seedProblem(seed.value),
      'Or let every picture have a new one.',
    ],
    [cacheProblem(cache.value), 'Correct it, or take “HiCache as published”.'],
  ] as const;
  for (const [message, hint] of problems) {
    if (message) return { code: 'bad-request', message, hint } as const;
  }
  return undefined;
}

/** After these nothing that the engine holds can be trusted; it is loaded again. */
const BROKEN: ReadonlySet<ErrorCode> = new Set(['device-lost', 'out-of-memory', 'internal']);

function showRunError(error: unknown): void {
  const report = reportOf(error);
  if (report.code === 'cancelled') {
    state.announcement.value = report.message;
  } else if (BROKEN.has(report.code) || state.engine.value.kind === 'failed') {
    engineFailed(error);
  } else {
    state.notice.value = { report };
  }
}

function onEvent(event: GenerateEvent): void {
  // A failed run may still send some.
  if (!state.run.value) return;
  state.run.value = {
    ...state.run.value,
    loading: event.kind === 'loading' ? event : undefined,
  };
  switch (event.kind) {
    case 'text':
      state.unknownWords.value = event.reading.unknownWords;
      setPhase('denoising');
      break;
    case 'step':
      state.records.value = [...state.records.value, event];
      announceQuarters(event.step + 1, event.steps);
      break;
    case 'preview':
      state.preview.value = event;
      break;
    case 'decoding':
      setPhase('decoding');
      break;
  }
}

/** Every step would be too much for a screen reader. */
function announceQuarters(done: number, steps: number): void {
  const quarter = Math.floor((4 * done) / steps);
  if (quarter > Math.floor((4 * (done - 1)) / steps)) {
    state.announcement.value = `${done} of ${steps} steps done.`;
  }
}

function setPhase(phase: state.RunPhase): void {
  if (state.run.value) state.run.value = { ...state.run.value, phase };
}

export async function cancel(): Promise<void> {
  const current = state.run.value;
  if (!current || current.cancelling) return;
  state.run.value = { ...current, cancelling: true };
  if (current.phase === 'waiting') stopWaiting?.(new AppError('cancelled', 'Cancelled.', ''));
  else await currentEngine()?.cancel().catch(showRunError);
}

/** Changes the cache settings, from the next step on if a picture is being made. */
export function changeCache(change: Partial<CacheSettings>): void {
  state.cache.value = { ...state.cache.value, ...change };
  const phase = state.run.value?.phase;
  if (!phase || phase === 'waiting' || cacheProblem(state.cache.value)) return;
  currentEngine()?.setCache(state.cache.value).catch(showRunError);
}

export function drawSeed(): void {
  const [drawn = 0] = crypto.getRandomValues(new Uint32Array(1));
  state.seed.value = String(drawn);
}

/** The seed of the picture on show, for the next ones too. */
export function reuseSeed(): void {
  const used = state.finished.value?.request.seed;
  if (used === undefined) return;
  batch(() => {
    state.seed.value = String(used);
    state.randomSeed.value = false;
  });
}
