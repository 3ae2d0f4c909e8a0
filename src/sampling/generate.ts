/**
 * A picture from a prompt: flow-match Euler sampling of a FLUX transformer whose features are
 * computed at some steps and forecast at the others (HiCache, arXiv 2508.16984).
 */
import type { Backend, ComponentLoading, DenoiseRun } from '../runtime/backend.ts';
import type { Manifest } from '../bundle/manifest.ts';
import { knowledgeOf } from '../forecast/calibration.ts';
import { CachePolicy } from '../forecast/policy.ts';
import type { CacheSettings } from '../forecast/settings.ts';
import { AppError } from '../shared/errors.ts';
import type { GenerateEvent, GenerateRequest, GenerateResult } from './job.ts';
import { gridOf, startingLatents } from './latents.ts';
import { Previewer } from './preview.ts';
import { readPrompt } from '../prompt/reading.ts';
import { RunRecord } from './record.ts';
import { checkRequest, checkSettings, guidanceOf } from './request.ts';
import { Retrace } from './corrector.ts';
import { sampleDifferences } from './difference-samples.ts';
import { flowTimes, shiftFor, stepDeltas } from './scheduler.ts';
import { tokenize } from '../prompt/tokenize.ts';
import { Verifier } from './verifier.ts';
import type { WordKnowledge } from '../prompt/words/unknown-words.ts';
import { yieldToEvents as nextTask } from './yield.ts';

export interface Engine extends WordKnowledge {
  readonly backend: Backend;
  readonly manifest: Manifest;
}

/** How the caller watches and steers a run. */
export interface Control {
  /** Asked before every step: the settings for it. */
  readonly settings: () => CacheSettings;
  /**
   * Exactly these steps are computed, growing and from 0, whatever the settings' schedule says: for
   * studies that compare schedules.
   */
  readonly computeSteps?: readonly number[] | undefined;
  /** Aborting ends the run before its next step. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: GenerateEvent) => void;
  /** Lets messages in between two steps; by default one macrotask. */
  readonly yieldToEvents?: () => Promise<void>;
}

/**
 * @throws AppError `bad-request` for a request or settings that are not possible, `cancelled`
 * after `signal` is aborted, and whatever the backend throws.
 */
export async function generate(
  { backend, tokenizers, knownWords, manifest }: Engine,
  request: GenerateRequest,
  { settings: currentSettings, computeSteps, signal, onEvent, yieldToEvents = nextTask }: Control,
): Promise<GenerateResult> {
  checkRequest(request, manifest);
  const { prompt, seed, steps, sampler } = request;
  const grid = gridOf(request, manifest);
  const imageTokens = grid.rows * grid.columns;
  const sigmas = flowTimes(steps, imageTokens, manifest.scheduler);
  const shift = shiftFor(imageTokens, manifest.scheduler);
  const guidance = guidanceOf(request, manifest);
  const record = new RunRecord(steps);
  const onLoading = (loading: ComponentLoading) => onEvent({ kind: 'loading', ...loading });

  const reading = readPrompt({ tokenizers, knownWords }, prompt, manifest.text);
  onEvent({ kind: 'text', reading });
  const tokens = tokenize(tokenizers, reading.encodedPrompt, manifest.text);
  const conditioning = await record.time('text', () => backend.encodeText(tokens, onLoading));
  let run: DenoiseRun | undefined;
  try {
    const noise = startingLatents(seed, grid, manifest.autoencoder.latentChannels);
    run = await backend.begin(noise, grid, conditioning, { guidance, onLoading });
    const preview = request.preview ? new Previewer(run, grid, manifest.preview) : undefined;
    const knowledge = knowledgeOf(manifest.calibration, steps, shift);
    const policy = new CachePolicy(steps, sigmas, knowledge, computeSteps);
    const verifier = new Verifier(run, policy);
    const retrace = new Retrace(run, policy, sigmas, sampler);

    for (let step = 0; step < steps; step++) {
      await yieldToEvents();
      throwIfCancelled(signal);
      const settings = currentSettings();
      checkSettings(settings);

      const computed = policy.computes(step, settings);
      record.startStep(step, computed, settings);
      if (computed) {
        await record.time('trunk', () => run!.runTrunk(sigmas[step]!));
        policy.anchored(step);
        if (settings.basis !== 'none' || policy.endsForecasts) verifier.start();
        if (settings.correct) await record.time('forecast', () => retrace.correct());
      } else {
        const weights = policy.forecast(step, settings);
        await record.time('forecast', () => run!.forecast(weights));
      }
      await record.time('head', () => run!.head(sigmas[step]!));
      await record.time('head', () => run!.step(stepDeltas(sampler, sigmas, step)));
      if (computed && settings.correct) await retrace.mark(step);
      // The step's work is waited for once, here; nearly all of the wait is the features' work.
      await record.time(computed ? 'trunk' : 'forecast', () => run!.settle());

      const planned = policy.planned(step, settings);
      const pace = record.endStep(planned.length);
      onEvent({ kind: 'step', step, steps, computed, planned, cache: settings, ...pace });
      if (step + 1 < steps) await preview?.showIfDue(sigmas[step + 1]!, onEvent);
    }

    await yieldToEvents();
    throwIfCancelled(signal);
    onEvent({ kind: 'decoding' });
    const picture = await record.time('decode', () => run!.decode());
    await verifier.finished();
    const findings = {
      guidance: guidance ?? null,
      flowTimes: Array.from(sigmas),
      verifications: policy.verifications,
      differenceSamples: request.study ? await sampleDifferences(run, policy.olderAnchors) : null,
      nonFinite: policy.broken,
    };
    return { ...picture, stats: record.stats(request, reading, backend.info, findings) };
  } finally {
    run?.dispose();
    conditioning.dispose();
  }
}

function throwIfCancelled(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new AppError('cancelled', 'The picture was cancelled.', 'Start another when you like.');
}
