/** English words that say nothing about what an image shows, and those that deny what follows. */
import { stopwords } from '@orama/stopwords/english';
import { plainWords } from './split.ts';

/** Courtesies and fillers, which a list of function words does not have. */
const FILLERS =
  'a please kindly thanks thank hello hi hey also just really quite maybe let ok etc ' +
  'im ive youre theyre thats whats lets theres';

/** Function words that say how many or where: to a model that was not taught them, this is lost. */
const TELLING =
  'few both between into through during before after against off out up down above below over under';

const NEGATIONS = 'no not nor never neither none without cannot except minus';

const telling = new Set(plainWords(TELLING));
const contracted = stopwords.filter((word) => word.endsWith("n't"));
const negations = new Set([NEGATIONS, ...contracted].flatMap(plainWords));
const ignorable = (words: readonly string[]): Set<string> =>
  new Set(words.flatMap(plainWords).filter((word) => !telling.has(word) && !negations.has(word)));
const whole = ignorable([FILLERS, ...stopwords.filter((word) => !word.includes("'"))]);
const contractions = ignorable(stopwords.filter((word) => word.includes("'")));

/**
 * Whether a word may be ignored without loss.
 * @param text with its apostrophe: "she'd" is one of them and "shed" is not
 */
export const isFunctionWord = (plain: string, text: string): boolean =>
  whole.has(plain) || (contractions.has(plain) && /['’]/.test(text));

/** Whether the plain word denies what follows, which no text encoder of this kind understands. */
export const isNegation = (plain: string): boolean => negations.has(plain);
