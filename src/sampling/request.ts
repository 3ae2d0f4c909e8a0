/** What can be asked for. */
import { settingsProblems, type CacheSettings } from '../forecast/settings.ts';
import type { Manifest } from '../bundle/manifest.ts';
import { AppError } from '../shared/errors.ts';
import { GUIDANCE, STEPS } from '../shared/limits.ts';
import { seedProblem } from '../shared/seed.ts';
import type { GenerateRequest } from './job.ts';
import { PATCH } from './latents.ts';
import { SAMPLERS } from './scheduler.ts';

/** Far more than any text encoder reads; what is above its length is cut off. */
export const MAX_PROMPT_CHARACTERS = 10_000;

/** @throws AppError `bad-request` that names the first thing that is wrong. */
export function checkRequest(request: GenerateRequest, manifest: Manifest): void {
  const { prompt, seed, steps } = request;
  if (typeof prompt !== 'string' || prompt.trim() === '') {
    throw refuse('The prompt is empty.', 'Write what the picture should show.');
  }
  if (prompt.length > MAX_PROMPT_CHARACTERS) {
    throw refuse(
      `The prompt has ${prompt.length} characters.`,
      `Use at most ${MAX_PROMPT_CHARACTERS}; the model reads far fewer.`,
    );
  }
  checkWhole('Steps', steps, STEPS, `Models like this one need about ${manifest.defaults.steps}.`);
  const badSeed = seedProblem(seed);
  if (badSeed) throw refuse(badSeed, 'These are the seeds that torch.manual_seed accepts.');
  if (!SAMPLERS.includes(request.sampler)) {
    throw refuse(
      `There is no sampler "${String(request.sampler)}".`,
      `Use ${SAMPLERS.join(' or ')}.`,
    );
  }
  checkSize(request, manifest);
  checkGuidance(request, manifest);
  checkSettings(request.cache);
}

/** What FLUX.1-dev is usually given. */
const DEFAULT_GUIDANCE = 3.5;

/** The guidance scale of a request that was checked; undefined for a model that takes none. */
export function guidanceOf(
  { guidance }: Pick<GenerateRequest, 'guidance'>,
  { transformer, defaults }: Manifest,
): number | undefined {
  return transformer.guidance ? (guidance ?? defaults.guidance ?? DEFAULT_GUIDANCE) : undefined;
}

/** @throws AppError `bad-request` that names every problem. */
export function checkSettings(settings: CacheSettings): void {
  const problems = settingsProblems(settings);
  if (problems.length === 0) return;
  throw refuse(
    `The cache settings are not possible: ${problems.join('; ')}.`,
    'Correct them, or take the published ones: hermite, order 2, sigma 0.5, interval 7.',
  );
}

function checkWhole(
  what: string,
  value: number,
  { min, max }: { readonly min: number; readonly max: number },
  hint: string,
): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw refuse(`${what} must be a whole number from ${min} to ${max}, not ${value}.`, hint);
}

function checkGuidance({ guidance }: GenerateRequest, { transformer }: Manifest): void {
  if (guidance === undefined) return;
  if (!transformer.guidance) {
    throw refuse('This model takes no guidance scale.', 'Leave the guidance out.');
  }
  const { min, max } = GUIDANCE;
  if (typeof guidance === 'number' && guidance >= min && guidance <= max) return;
  throw refuse(
    `Guidance must be a number from ${min} to ${max}, not ${guidance}.`,
    `Leave it out for the model's own, or take ${DEFAULT_GUIDANCE}.`,
  );
}

/** Sides are whole tokens, within what the model was made for. */
function checkSize({ width, height }: GenerateRequest, { sizes, autoencoder }: Manifest): void {
  const multiple = autoencoder.downscale * PATCH;
  const sides = { width, height };
  for (const side of ['width', 'height'] as const) {
    const offered = sizes.map((size) => size[side]);
    const min = Math.min(...offered);
    const max = Math.max(...offered);
    const value = sides[side];
    if (Number.isInteger(value / multiple) && value >= min && value <= max) continue;
    const allowed = min === max ? `${min}` : `a multiple of ${multiple} from ${min} to ${max}`;
    throw refuse(
      `The ${side} must be ${allowed} with this model, not ${value}.`,
      `It offers ${sizes.map((size) => `${size.width}x${size.height}`).join(', ')}.`,
    );
  }
}

function refuse(message: string, hint: string): AppError {
  return new AppError('bad-request', message, hint);
}
