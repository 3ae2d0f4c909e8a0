/** The bundle's manifest: the schema is the validator. */
import * as v from 'valibot';
import { ABSCISSAS, DIFFERENCES, FORECAST_BASES, LIMITS } from '../forecast/settings.ts';
import { GUIDANCE } from '../shared/limits.ts';
import { parseJson } from './json.ts';
import { scheduleFields } from './schedule-fields.ts';

/** The file in a bundle's folder that says what else is in it. */
export const MANIFEST = 'manifest.json';

/** More than a bundle of terabytes needs. */
export const MOST_MANIFEST_BYTES = 16 * 2 ** 20;

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));
const countOrNone = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000_000));
/** A relative path inside the bundle: no scheme, no leading slash, no `..`. */
const path = v.pipe(
  v.string(),
  v.maxLength(300),
  v.regex(/^(?!.*(?:^|\/)\.\.?(?:\/|$))[A-Za-z0-9_][A-Za-z0-9_.\-/]*$/, 'is not a relative path'),
);

/** Bytes of a part of a file that has a hash of its own. The last part of a file may be shorter. */
export const PART_BYTES = 16 * 2 ** 20;
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

/** One ONNX graph and the external data files that it names. */
const graph = v.object({ graph: path, data: v.array(path) });
/** The same graph in the precisions that the bundle offers. */
const component = v.object({ float32: graph, float16: graph });
const segmentList = v.pipe(v.array(graph), v.minLength(1), v.maxLength(1000));
/** A component cut into consecutive segments. */
const segments = v.object({ float32: segmentList, float16: segmentList });
/** The same, where a component in one piece may stand without a list. */
const oneOrSegments = v.union([
  segments,
  v.pipe(
    component,
    v.transform(({ float32, float16 }) => ({ float32: [float32], float16: [float16] })),
  ),
]);

const transformer = v.object({
  hidden: count,
  heads: count,
  headWidth: count,
  /** Rotary dimensions of the three position axes; their sum is headWidth. */
  axes: v.tuple([count, count, count]),
  doubleBlocks: countOrNone,
  singleBlocks: countOrNone,
  /** Channels of a packed latent token, 64 for 16 latent channels. */
  latentWidth: count,
  textWidth: count,
  pooledWidth: count,
  /** Whether graphs take the guidance scale as an input, as FLUX.1-dev's do. */
  guidance: v.optional(v.boolean(), false),
});

/** diffusers' FlowMatchEulerDiscreteScheduler, by the names of its configuration. */
const scheduler = v.pipe(
  v.object({
    shift: scheduleFields.shift,
    useDynamicShifting: v.boolean(),
    baseShift: scheduleFields.logShift,
    maxShift: scheduleFields.logShift,
    baseImageTokens: scheduleFields.imageTokens,
    maxImageTokens: scheduleFields.imageTokens,
  }),
  v.forward(
    v.check(
      (schedule) =>
        !schedule.useDynamicShifting || schedule.baseImageTokens < schedule.maxImageTokens,
      'must be more than baseImageTokens',
    ),
    ['maxImageTokens'],
  ),
);

const between = (low: number, high: number) =>
  v.pipe(v.number(), v.minValue(low), v.maxValue(high));
const finite = v.pipe(v.number(), v.finite());
const positive = v.pipe(v.number(), v.gtValue(0), v.maxValue(1e6));

/** A set of compute steps that search found, and the basis that goes with it. */
const plan = v.pipe(
  v.object({
    steps: count,
    computeSteps: v.pipe(v.array(v.pipe(v.number(), v.integer())), v.minLength(1)),
    forecaster: v.object({
      basis: v.picklist(FORECAST_BASES),
      order: v.pipe(between(LIMITS.order.min, LIMITS.order.max), v.integer()),
      sigma: between(LIMITS.sigma.min, LIMITS.sigma.max),
      differences: v.picklist(DIFFERENCES),
      abscissa: v.picklist(ABSCISSAS),
    }),
    error: v.pipe(v.number(), v.minValue(0)),
  }),
  v.check(
    ({ steps, computeSteps }) =>
      computeSteps.every((step, i) => (i === 0 ? step === 0 : step > computeSteps[i - 1]!)) &&
      computeSteps.at(-1)! < steps,
    'compute steps do not rise from 0 to less than the steps',
  ),
);

/** Written by `hicache calibrate` (cache/calibration.ts says what is what); optional. */
const calibration = v.object({
  version: v.literal(1),
  shift: positive,
  pictures: count,
  sensitivity: v.pipe(
    v.object({
      flowTimes: v.pipe(v.array(between(0, 1)), v.minLength(2)),
      gains: v.array(positive),
    }),
    v.check(
      ({ flowTimes, gains }) =>
        gains.length === flowTimes.length &&
        flowTimes.every((t, i) => i === 0 || t < flowTimes[i - 1]!),
      'flow times do not fall, or there is not one gain for each',
    ),
  ),
  constants: v.object({
    length: positive,
    noiseSpeed: positive,
    noiseEdge: positive,
    pictureSpeed: positive,
    pictureEdge: positive,
    uncorrected: positive,
    gain: positive,
    sensitivity: between(-4, 4),
  }),
  plans: v.array(plan),
  verified: positive,
});

export const manifestSchema = v.object({
  format: v.literal('hicache-bundle'),
  version: v.literal(1),
  title: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  licence: v.pipe(v.string(), v.maxLength(2000)),
  source: v.pipe(v.string(), v.maxLength(2000)),
  /** Prompts that show what the model can do. */
  examples: v.array(v.pipe(v.string(), v.maxLength(500))),
  transformer,
  text: v.object({
    t5Tokens: count,
    clipTokens: count,
  }),
  autoencoder: v.object({
    latentChannels: count,
    /** Pixels of a side per latent of a side. */
    downscale: count,
  }),
  scheduler,
  calibration: v.optional(calibration),
  defaults: v.object({
    steps: count,
    /** Guidance scale, for a transformer that takes one. */
    guidance: v.optional(between(GUIDANCE.min, GUIDANCE.max)),
  }),
  sizes: v.pipe(v.array(v.object({ width: count, height: count })), v.minLength(1)),
  /** Linear map from a latent's channels to RGB in 0..1, for previews. */
  preview: v.optional(
    v.object({
      factors: v.array(v.tuple([finite, finite, finite])),
      bias: v.tuple([finite, finite, finite]),
    }),
  ),
  components: v.object({
    t5: oneOrSegments,
    clip: component,
    trunk: segments,
    head: component,
    decoder: component,
    /** Pictures to latents. */
    encoder: v.optional(component),
    /** A small decoder, for previews. */
    previewer: v.optional(component),
  }),
  tokenizers: v.object({ t5: path, clip: path }),
  /** The words that the model was trained on (vocabulary.ts). */
  vocabulary: v.optional(path),
  files: v.record(
    path,
    v.object({
      bytes: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 40)),
      sha256: hash,
      /** SHA-256 of every PART_BYTES of the file, so that a download resumes at a verified place. */
      parts: v.optional(v.array(hash)),
    }),
  ),
});

export type Manifest = v.InferOutput<typeof manifestSchema>;
export type GraphFiles = v.InferOutput<typeof graph>;

/** Parses and validates; the error names the field. `where` is the file or address, for the error. */
export function parseManifest(text: string, where: string): Manifest {
  return parseJson(manifestSchema, text, where);
}
