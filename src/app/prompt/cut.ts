/** Up to which word the model reads the prompt that is being typed. */
import { cutText } from '../../shared/cut-text.ts';
import { countWords } from '../../shared/words.ts';
import type { PromptCuts } from '../../workers/engine/api.ts';

type Cut = NonNullable<PromptCuts['t5']>;

export interface ShownCut {
  readonly text: string;
  /** What no encoder reads; empty if that is nothing. */
  readonly ignored: string;
  /** Whether words are lost for what is drawn, not only for the overall look. */
  readonly isLoss: boolean;
}

/**
 * What was read of one prompt, said of the prompt that it has become. As long as the words up to a cut
 * are the same, the cut is at the same place, and what follows it may be counted here.
 *
 * @returns undefined if nothing is cut, or if what was read does not say it of this prompt
 */
export function shownCut(
  prompt: string,
  { t5, clip }: PromptCuts,
  now: string,
): ShownCut | undefined {
  const stays = (cut: Cut | null): boolean => (cut ? isKept(prompt, cut, now) : now === prompt);
  if (!stays(t5) || !stays(clip)) return undefined;
  const [t5Now, clipNow] = [moved(t5, now), moved(clip, now)];
  const text = cutText(now, t5Now, clipNow);
  if (text === '') return undefined;
  const end = t5Now && clipNow ? Math.max(t5Now.end, clipNow.end) : now.length;
  return { text, ignored: now.slice(end).trim(), isLoss: t5Now !== null };
}

const CONTINUES = /^(?:[\p{L}\p{M}\p{N}'’]|\u200D|\p{EMod})/u;

/** Whether the words up to the cut are the same and the last of them still ends there. */
function isKept(prompt: string, { end }: Cut, now: string): boolean {
  return now.startsWith(prompt.slice(0, end)) && !CONTINUES.test(now.slice(end));
}

function moved(cut: Cut | null, now: string): Cut | null {
  if (!cut) return null;
  const ignoredWords = countWords(now.slice(cut.end));
  return ignoredWords > 0 || cut.partial ? { ...cut, ignoredWords } : null;
}
