/** English words that say nothing about what an image shows, and those that deny what follows. */
import { stopwords } from '@orama/stopwords/english';
import { plainWords } from './split.ts';

/** Courtesies and fillers, which a list of function words does not have. */
const FILLERS = 'a please kindly thanks thank hello hi hey also just really quite maybe let ok etc';

/** Function words that say how many or where: to a model that was not taught them, this is lost. */
const TELLING =
  'few both between into through during before after against off out up down above below over under';

const NEGATIONS = 'no not nor never neither none without cannot except minus';

const telling = new Set(plainWords(TELLING));
const contracted = stopwords.filter((word) => word.endsWith("n't"));
const negations = new Set([NEGATIONS, ...contracted].flatMap(plainWords));
const functionWords = new Set(
  [FILLERS, ...stopwords]
    .flatMap(plainWords)
    .filter((word) => !telling.has(word) && !negations.has(word)),
);

/** Whether the plain word may be ignored without loss. */
export const isFunctionWord = (plain: string): boolean => functionWords.has(plain);

/** Whether the plain word denies what follows, which no text encoder of this kind understands. */
export const isNegation = (plain: string): boolean => negations.has(plain);
