/** How long work will still take, by how fast it went lately. */

/** Long enough to even out, short enough to forget what was there already when the work began. */
const WINDOW_SECONDS = 30;

export class TimeLeft {
  private readonly samples: { readonly seconds: number; readonly share: number }[] = [];

  /** @param now seconds of a clock that never goes back */
  constructor(private readonly now: () => number = () => performance.now() / 1000) {}

  /**
   * Seconds until all is done; null while there is nothing to go by.
   * @param share of the work that is done, 0 to 1
   */
  at(share: number): number | null {
    const seconds = this.now();
    const { samples } = this;
    samples.push({ seconds, share });
    // One sample older than the window stays, so that slow work has something to go by too.
    while (samples.length > 2 && samples[1]!.seconds < seconds - WINDOW_SECONDS) samples.shift();
    const [first] = samples;
    const done = share - first!.share;
    const took = seconds - first!.seconds;
    return done > 0 && took > 0 ? ((1 - share) * took) / done : null;
  }
}
