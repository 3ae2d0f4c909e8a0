/** Progress on standard error: one line that moves on a terminal, elsewhere one for every hundredth. */
import process from 'node:process';

export class ProgressLine {
  #hundredth = -1;

  /**
   * @param share of the work that is done, 0 to 1
   * @param text in words
   */
  show(share: number, text: string): void {
    const { stderr } = process;
    const done = share >= 1;
    if (stderr.isTTY) {
      stderr.write(`\r${text}\x1b[K${done ? '\n' : ''}`);
      return;
    }
    const hundredth = Math.floor(100 * share);
    if (hundredth === this.#hundredth) return;
    this.#hundredth = hundredth;
    stderr.write(`${text}\n`);
  }
}
