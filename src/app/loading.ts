/** The engine that runs: which model it has, how it is loaded, what becomes of a failure. */
import { batch } from '@preact/signals';
import { AppError, reportOf } from '../shared/errors.ts';
import type { EngineInfo, LoadRequest, ModelAddress } from '../workers/engine/api.ts';
import { type EngineClient, startEngine } from '../workers/engine/client.ts';
import { BUILT_IN, BUILT_IN_TITLE, modelKey } from './models/choice.ts';
import { open as modelsOpen } from './models/state.ts';
import * as state from './state.ts';

export interface ReadyEngine {
  readonly client: EngineClient;
  readonly info: EngineInfo;
}

let client: EngineClient | undefined;
let loaded: Promise<ReadyEngine> | undefined;

export const currentEngine = (): EngineClient | undefined => client;

/** Resolves when the model is there; rejects if it cannot be loaded. */
export async function readyEngine(): Promise<ReadyEngine> {
  if (!loaded) throw new AppError('internal', 'No model is loaded.', 'Reload the page.');
  return loaded;
}

/** Lets another model make the pictures. */
export function loadModel(model: ModelAddress): void {
  state.model.value = model;
  loadEngine();
}

/** @param bytes undefined for what suits this machine */
export function setMemoryBudget(bytes: number | undefined): void {
  state.memoryBudget.value = bytes;
  loadEngine();
}

/** Loads in a new worker, so that nothing of a failed or lost engine is left over. */
export function loadEngine(): void {
  client?.terminate();
  client = startEngine();
  batch(() => {
    state.notice.value = undefined;
    state.engine.value = { kind: 'loading', progress: undefined };
  });
  const mine = client;
  loaded = load(mine).catch((error: unknown) => {
    if (client === mine && isGone(error)) {
      fallBack();
      return readyEngine();
    }
    if (client === mine) engineFailed(error);
    throw error;
  });
  // Whoever waits for it hears of a failure; the notice tells everybody else.
  loaded.catch(() => undefined);
}

async function load(mine: EngineClient): Promise<ReadyEngine> {
  const model = state.model.value;
  const before = { steps: state.steps.value, guidance: state.guidance.value };
  const info = await mine.load(requestFor(model), (progress) => {
    if (client === mine && state.engine.value.kind === 'loading') {
      state.engine.value = { kind: 'loading', progress };
    }
  });
  batch(() => {
    state.engine.value = { kind: 'ready', info };
    state.announcement.value = `${info.model.title} is ready.`;
    suit(info.model, modelKey(model), before);
  });
  return { client: mine, info };
}

function requestFor(model: ModelAddress): LoadRequest {
  const memoryBudget = state.memoryBudget.value;
  return {
    model:
      model.kind === 'url' ? { ...model, url: new URL(model.url, document.baseURI).href } : model,
    backend: state.backend.value,
    ...(memoryBudget !== undefined && { memoryBudget }),
  };
}

/**
 * What was chosen for another model is of no use for this one; what was changed since it began to load
 * is meant for it.
 * @param before what stood there when it began
 */
function suit(
  { sizes, defaultSteps, defaultGuidance }: EngineInfo['model'],
  key: string,
  before: { readonly steps: number; readonly guidance: number },
): void {
  const { steps, guidance } = state;
  if (state.chosenFor.value !== key) {
    state.chosenFor.value = key;
    if (Object.is(steps.value, before.steps)) steps.value = defaultSteps;
    if (Object.is(guidance.value, before.guidance))
      guidance.value = defaultGuidance ?? guidance.value;
    state.sizeIndex.value = 0;
  }
  if (state.sizeIndex.value >= sizes.length) state.sizeIndex.value = 0;
}

/** Nothing that the engine holds can be used any more. */
export function engineFailed(error: unknown): void {
  const report = reportOf(error);
  const isStored = state.model.value.kind === 'stored';
  const { backend } = state;
  const withoutGpu = report.code === 'no-webgpu' && backend.value === 'webgpu';
  const onCpu = () => {
    backend.value = 'cpu';
    loadEngine();
  };
  const useBuiltIn = { label: `Use ${BUILT_IN_TITLE}`, run: () => loadModel(BUILT_IN) };
  state.engine.value = { kind: 'failed' };
  state.notice.value = {
    report,
    actions: [
      withoutGpu
        ? { label: 'Use the CPU', run: onCpu }
        : { label: 'Load the model again', run: loadEngine },
      ...(isStored ? [useBuiltIn] : []),
    ],
  };
}

function isGone(error: unknown): boolean {
  return state.model.value.kind === 'stored' && reportOf(error).code === 'not-found';
}

/** The stored model has gone: pictures are made with the one that is always there. */
function fallBack(): void {
  loadModel(BUILT_IN);
  state.notice.value = {
    report: {
      code: 'not-found',
      message: 'The model that you used last is no longer here.',
      hint: `It was deleted, or the browser cleared it. ${BUILT_IN_TITLE}, which comes with the page, is used instead.`,
    },
    actions: [{ label: 'Models…', run: () => (modelsOpen.value = true) }],
  };
}
