/**
 * The newest of what is made again and again (anchors, velocities), each in a buffer of its own
 * that its maker writes directly. The oldest is overwritten; nothing is ever copied.
 */
export class Ring<Slot> {
  #newest = -1;
  #filled = 0;

  /** @param slots as many as are kept */
  constructor(private readonly slots: readonly Slot[]) {
    if (slots.length === 0) throw new RangeError('a ring needs a slot');
  }

  /** How many there are. */
  get length(): number {
    return this.#filled;
  }

  /** The slot to write next: free, or the oldest. */
  get next(): Slot {
    return this.slots[(this.#newest + 1) % this.slots.length]!;
  }

  /** What was written into `next` is now the newest. */
  advance(): void {
    this.#newest = (this.#newest + 1) % this.slots.length;
    this.#filled = Math.min(this.#filled + 1, this.slots.length);
  }

  /**
   * The newest `count`, newest first.
   *
   * @throws RangeError if there are fewer than `count`.
   */
  newest(count: number): Slot[] {
    if (count > this.#filled) {
      throw new RangeError(`the newest ${count} asked for, ${this.#filled} there are`);
    }
    const size = this.slots.length;
    return Array.from({ length: count }, (_, j) => this.slots[(this.#newest - j + size) % size]!);
  }
}
