/** Progress of a long piece of work, as the page is told of it. */
import { TimeLeft } from '../../shared/time-left.ts';
import type { ImportProgress } from './api.ts';

/** @param doing in words, such as "Converting" */
export function withTimeLeft(
  doing: string,
  onProgress: (progress: ImportProgress) => void,
): (what: string, doneBytes: number, totalBytes: number) => void {
  const timeLeft = new TimeLeft();
  return (what, doneBytes, totalBytes) =>
    onProgress({
      what: `${doing} the ${what}`,
      doneBytes,
      totalBytes,
      secondsLeft: timeLeft.at(doneBytes / totalBytes),
    });
}
