/** A bundle's components, run by name; which of them are in memory is no concern of their users. */
import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import type { Bundle } from '../../bundle/bundle.ts';
import { bytesInWords } from '../../shared/bytes.ts';
import { AppError, messageOf } from '../../shared/errors.ts';
import type { Precision } from '../../gpu/precision.ts';
import type { ComponentLoading, OnComponentLoading } from '../backend.ts';
import { isOutOfMemory } from '../memory/budget.ts';
import { fitTogether } from '../memory/eviction.ts';
import {
  type ExternalData,
  openSession,
  type Runner,
  runSession,
  type Tensors,
} from './session.ts';
import { type ComponentName, componentWords, type Part, partWords } from '../memory/parts.ts';
import { type Lifecycle, type OnLoading, Residency } from '../memory/residency.ts';
import {
  besideOf,
  planResidency,
  previewParts,
  type ResidencyPlan,
} from '../memory/residency-plan.ts';

/** What the two rooms do differently. */
export interface SessionKind {
  readonly runner: Runner;
  readonly readsBlobs: boolean;
  /** What people can do where a graph that was loaded does not run. */
  readonly advice: string;
  /**
   * Makes a session, in its turn.
   *
   * @throws AppError `out-of-memory` where that can be told from other failures.
   */
  create(
    graph: Uint8Array,
    externalData: readonly ExternalData[],
    place: SessionPlace,
  ): Promise<InferenceSession>;
  /** Releases it, and sees to it that its memory is free then. */
  release(session: InferenceSession, place: SessionPlace): Promise<void>;
  /** An output of a segment as a tensor that outlives the segment's session, in place of it. */
  detach(output: Tensor, place: SessionPlace): Promise<Tensor>;
}

export interface SessionPlace {
  /** Whether it is its component's last segment: others' outputs go to the next. */
  readonly last: boolean;
  /** Whether sessions are released while others are used, since not all fit. */
  readonly sparing: boolean;
}

/**
 * Parts up to this size are opened when a model is loaded that does not fit as a whole, so that a
 * bundle that is none is found at once.
 */
const SMALL = 256 * 2 ** 20;

export class Components {
  readonly plan: ResidencyPlan;
  readonly #parts: readonly Part[];
  readonly #residency: Residency<Part, InferenceSession>;
  /** Large files of parts that are opened again and again: handles, not their bytes. */
  readonly #blobs = new Map<string, Promise<Blob>>();
  /** Whether everything that a picture needs is resident together, as far as is known beforehand. */
  readonly #fits: boolean;

  /** @param budget bytes for weights and activations */
  constructor(
    private readonly kind: SessionKind,
    private readonly bundle: Bundle,
    precision: Precision,
    budget: number,
  ) {
    const { room, plan } = planResidency(bundle.manifest, precision, budget);
    const asked = room.order.filter(({ component }) => component !== 'encoder');
    this.plan = plan;
    this.#parts = room.order;
    this.#fits = fitTogether(room, asked);
    this.#residency = new Residency(room, this.#lifecycle());
  }

  /**
   * Opens everything if it fits, and what is small otherwise.
   *
   * @throws AppError `bad-bundle` if one of the graphs does not load.
   */
  async openAhead(): Promise<void> {
    const ahead = this.#parts.filter(
      ({ component, bytes }) =>
        component !== 'encoder' && (this.#fits || (bytes <= SMALL && component !== 'previewer')),
    );
    for (const part of ahead) await this.#residency.use(part, () => Promise.resolve());
  }

  /** Whether there is a preview decoder, and room for it beside all that denoises. */
  get previews(): boolean {
    const parts = previewParts(this.#parts);
    return parts !== undefined && this.#residency.hasRoomFor(parts);
  }

  /**
   * Runs a component, its segments one after another, each on what was given and all that earlier
   * ones gave. Tensors between segments are disposed of; the last segment writes into `outputs`.
   *
   * @throws AppError `out-of-memory` if a segment does not fit even alone, or what it computes does
   *   not; `bad-bundle` if it does not load.
   */
  async run(
    component: ComponentName,
    given: Tensors,
    outputs: Tensors = {},
    onLoading?: OnComponentLoading,
  ): Promise<Tensors> {
    const { runner } = this.kind;
    const segments = this.#parts.filter((part) => part.component === component);
    const between: Record<string, Tensor> = {};
    const told = onLoading && ((part: Part, bytes: number) => onLoading(loadingOf(part, bytes)));
    const use = <T>(part: Part, work: (session: InferenceSession) => Promise<T>): Promise<T> =>
      this.#residency.use(
        part,
        (session) => work(session).catch(runFailed(part, this.kind.advice)),
        {
          beside: besideOf(this.#parts, part),
          onLoading: told,
        },
      );
    try {
      for (const segment of segments.slice(0, -1)) {
        await use(segment, async (session) => {
          const results = await runSession(runner, session, { ...given, ...between });
          // The session may be gone when they are used.
          for (const [name, output] of Object.entries(results)) {
            between[name]?.dispose();
            between[name] = await this.kind.detach(output, this.#placeOf(segment));
          }
        });
      }
      const last = segments.at(-1);
      if (!last) throw missing(component);
      return await use(last, (session) =>
        runSession(runner, session, { ...given, ...between }, outputs),
      );
    } finally {
      for (const tensor of Object.values(between)) tensor.dispose();
    }
  }

  dispose(): Promise<void> {
    this.#blobs.clear();
    return this.#residency.releaseAll();
  }

  #lifecycle(): Lifecycle<Part, InferenceSession> {
    return {
      open: (part, onLoading) => this.#open(part, onLoading),
      release: (session, part) => this.kind.release(session, this.#placeOf(part)),
      noRoom,
    };
  }

  #open(part: Part, onLoading?: OnLoading<Part>): Promise<InferenceSession> {
    const { kind } = this;
    const place = this.#placeOf(part);
    const reading = {
      bundle: place.sparing ? this.#keepingBlobs() : this.bundle,
      readsBlobs: kind.readsBlobs,
      onRead: (bytes: number) => onLoading?.(part, bytes),
    };
    return openSession(reading, part.files, (graph, data) => kind.create(graph, data, place));
  }

  #placeOf({ segment, segments }: Part): SessionPlace {
    const sparing = !this.#fits || this.#residency.short;
    return { last: segment === segments - 1, sparing };
  }

  /** The bundle; a Blob is asked for once, since it is verified when it is asked for. */
  #keepingBlobs(): Bundle {
    const { bundle } = this;
    return {
      manifest: bundle.manifest,
      read: (path) => bundle.read(path),
      blob: (path) => {
        const kept = this.#blobs.get(path) ?? bundle.blob(path);
        this.#blobs.set(path, kept);
        kept.catch(() => this.#blobs.delete(path));
        return kept;
      },
    };
  }
}

function loadingOf(part: Part, loadedBytes: number): ComponentLoading {
  return { component: partWords(part), loadedBytes, bytes: part.bytes };
}

function noRoom(part: Part, limit: number, cause: unknown): AppError {
  return new AppError(
    'out-of-memory',
    `There is no room for the ${partWords(part)}: it takes ${bytesInWords(part.bytes)}, and the memory ` +
      `budget is ${bytesInWords(limit)}.`,
    'Close other tabs and programs, choose a smaller picture, or convert the model with fewer bits ' +
      'or into smaller segments.',
    { cause },
  );
}

/** Nothing is tried again with less beside it: what running takes depends on the picture. */
function runFailed(part: Part, advice: string): (error: unknown) => never {
  return (cause) => {
    if (cause instanceof AppError) throw cause;
    if (isOutOfMemory(cause)) {
      throw new AppError(
        'out-of-memory',
        `There is not enough memory to run the ${partWords(part)} for a picture of this size.`,
        'Choose a smaller picture, or close other tabs and programs.',
        { cause },
      );
    }
    const text = `The ${partWords(part)} failed while running: ${messageOf(cause)}`;
    throw new AppError('internal', text, advice, { cause });
  };
}

function missing(component: ComponentName): AppError {
  return new AppError(
    'bad-bundle',
    `The bundle has no ${componentWords(component)}.`,
    'Convert it again.',
  );
}
