/**
 * Keeps what is needed in memory, within a budget. Knows nothing of ONNX Runtime: how a part is
 * opened and released is given.
 */
import type { AppError } from '../../shared/errors.ts';
import { isOutOfMemory } from './budget.ts';
import { evictions, fitTogether, type Room, type Sized, sum } from './eviction.ts';
import { SerialQueue } from '../../shared/serial.ts';

export interface Lifecycle<P, Session> {
  open(part: P, onLoading?: OnLoading<P>): Promise<Session>;
  release(session: Session, part: P): Promise<void>;
  /** What is said when there is no room, to people. */
  noRoom(part: P, limit: number, cause: unknown): AppError;
}

/** Told of the bytes of a part that are read so far, 0 at first. */
export type OnLoading<P> = (part: P, loadedBytes: number) => void;

export interface Use<P> {
  /** What must stay resident beside the part. */
  readonly beside?: readonly P[];
  readonly onLoading?: OnLoading<P> | undefined;
}

export class Residency<P extends Sized, Session> {
  readonly #resident = new Map<P, Session>();
  /** One use at a time, so that nothing is released while it is used. */
  readonly #queue = new SerialQueue();
  #room: Room<P>;
  #short = false;

  constructor(
    room: Room<P>,
    private readonly lifecycle: Lifecycle<P, Session>,
  ) {
    this.#room = room;
  }

  /** Bytes of what is resident, activations left out. */
  get bytes(): number {
    return sum([...this.#resident.keys()]);
  }

  has(part: P): boolean {
    return this.#resident.has(part);
  }

  /** Whether memory was found missing, so that less is kept than the budget allows. */
  get short(): boolean {
    return this.#short;
  }

  /** Whether all of them can be resident together. Memory that was found missing counts. */
  hasRoomFor(parts: readonly P[]): boolean {
    return fitTogether(this.#room, parts);
  }

  /**
   * Runs `work` on the part's session, which is opened first unless it is resident. Whatever of the
   * others is in the way is released before, so that the budget is exceeded only by a part that
   * does so alone, with what must stay beside it. Not to be called from within `work`.
   *
   * @throws AppError `out-of-memory` if it does not fit even alone, and whatever opening throws;
   *   the parts that are resident then are usable.
   */
  use<T>(
    part: P,
    work: (session: Session) => Promise<T>,
    { beside = [], onLoading }: Use<P> = {},
  ): Promise<T> {
    return this.#queue.run(async () => {
      const needed: [P, ...P[]] = [part, ...beside];
      await this.#makeRoom(needed);
      // What stays beside first: it is small, and a segment is then opened and used at once.
      for (const each of needed.toReversed()) {
        if (!this.#resident.has(each)) await this.#open(each, needed, onLoading);
      }
      return work(this.#resident.get(part)!);
    });
  }

  /** Releases everything; what is used afterwards is opened again. */
  releaseAll(): Promise<void> {
    return this.#queue.run(() => this.#release([...this.#resident.keys()]));
  }

  async #makeRoom(needed: [P, ...P[]]): Promise<void> {
    await this.#release(evictions(this.#room, this.#resident.keys(), needed));
  }

  async #open(part: P, needed: [P, ...P[]], onLoading?: OnLoading<P>): Promise<void> {
    const open = async () => {
      this.#resident.set(part, await this.lifecycle.open(part, onLoading));
    };
    try {
      return await open();
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      const { limit, activations } = this.#room;
      const others = [...this.#resident.keys()].filter((each) => !needed.includes(each));
      // So much there is not: from now on less is kept.
      const wanted = this.bytes + part.bytes + activations[part.stage];
      this.#room = { ...this.#room, limit: Math.min(limit, wanted - 1) };
      this.#short = true;
      if (others.length === 0) throw this.lifecycle.noRoom(part, limit, error);
      await this.#release(others);
    }
    try {
      await open();
    } catch (error) {
      throw isOutOfMemory(error) ? this.lifecycle.noRoom(part, this.#room.limit, error) : error;
    }
  }

  /** Each is forgotten before it is released: one that fails to go is not used again either. */
  async #release(parts: readonly P[]): Promise<void> {
    const failures: unknown[] = [];
    for (const part of parts) {
      const session = this.#resident.get(part)!;
      this.#resident.delete(part);
      await this.lifecycle.release(session, part).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}
