/** How far a calibration is, in transformer calls; how many it will take can only be estimated. */

export interface Phase {
  readonly name: string;
  /** Transformer calls, estimated. */
  readonly calls: number;
}

export class Progress {
  readonly #phases: readonly Phase[];
  readonly #started = performance.now();
  #phase = 0;
  /** Share of the phase, 0 to 1. */
  #share = 0;
  #made = 0;
  #shown = -1;

  /** @param show is given a line whenever another hundredth is done. */
  constructor(
    phases: readonly Phase[],
    private readonly show: (line: string) => void,
  ) {
    this.#phases = phases;
  }

  /** So many transformer calls were made just now. */
  made(calls: number): void {
    this.#made += calls;
  }

  /** A share of the present phase is done; at 1 the next one begins. */
  at(share: number): void {
    this.#share = share;
    const percent = Math.floor((100 * this.#done) / this.#total);
    if (percent > this.#shown) {
      this.#shown = percent;
      this.show(`${percent} %, ${this.#phases[this.#phase]!.name}${this.#timeLeft()}`);
    }
    if (share < 1 || this.#phase + 1 === this.#phases.length) return;
    this.#phase++;
    this.#share = 0;
  }

  get #total(): number {
    return this.#phases.reduce((sum, { calls }) => sum + calls, 0);
  }

  get #done(): number {
    const before = this.#phases.slice(0, this.#phase).reduce((sum, { calls }) => sum + calls, 0);
    return before + this.#share * this.#phases[this.#phase]!.calls;
  }

  /** Work that an earlier sitting did takes no time now, and says nothing about it. */
  #timeLeft(): string {
    if (this.#made === 0) return '';
    const perCall = (performance.now() - this.#started) / 60_000 / this.#made;
    return `, about ${Math.ceil(perCall * (this.#total - this.#done))} min left`;
  }
}
