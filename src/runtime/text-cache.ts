/** Encoded prompts that are kept, so that a new seed of the same prompt needs no text encoder. */

interface Entry<Encoded> {
  readonly encoded: Promise<Encoded>;
  users: number;
  /** Out of the cache; goes with its last user. */
  dropped: boolean;
}

export interface Lease<Encoded> {
  readonly encoded: Encoded;
  /** To be called once it is no longer used; further calls do nothing. */
  release(): void;
}

export class TextCache<Encoded> {
  /** The most recently used last. */
  readonly #entries = new Map<string, Entry<Encoded>>();

  /**
   * @param limit how many are kept beyond their use
   * @param destroy called once for each, when it is neither kept nor used
   */
  constructor(
    private readonly limit: number,
    private readonly destroy: (encoded: Encoded) => void,
  ) {}

  /** What is kept under `key`, or what `encode` makes. What it rejects with is not kept. */
  async lease(key: string, encode: () => Promise<Encoded>): Promise<Lease<Encoded>> {
    const entry = this.#entries.get(key) ?? { encoded: encode(), users: 0, dropped: false };
    entry.users++;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    try {
      const encoded = await entry.encoded;
      this.#shrink(this.limit);
      let released = false;
      const release = (): void => {
        if (released) return;
        released = true;
        entry.users--;
        if (entry.dropped && entry.users === 0) this.destroy(encoded);
      };
      return { encoded, release };
    } catch (error) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      throw error;
    }
  }

  /** Keeps none; those in use go when they are released. */
  clear(): void {
    this.#shrink(0);
  }

  #shrink(limit: number): void {
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= limit) return;
      this.#entries.delete(key);
      entry.dropped = true;
      if (entry.users === 0) void entry.encoded.then(this.destroy, () => undefined);
    }
  }
}
