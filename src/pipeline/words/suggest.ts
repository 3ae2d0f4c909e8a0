/** The names nearest to a word that the model does not know. */
import type { Vocabulary } from '../../bundle/vocabulary.ts';
import { bySlips, nearness } from './nearness.ts';
import { plainWords } from './split.ts';

const MOST = 3;
const LEAST_SCORE = 0.6;
/** One that is so much farther than the nearest is not meant. */
const LEAST_OF_BEST = 0.75;

/** Where a term stands in a name, as a factor of how well the name answers to it. */
const WHOLE = 1;
const HEAD = 0.9;
const ASIDE = 0.8;
/** A word that is no concept, but was learnt. */
const OTHER_WORD = 0.9;

interface Place {
  readonly name: string;
  /** Index of the concept; undefined for a word of another kind. */
  readonly concept?: number;
  readonly factor: number;
}

interface Scored {
  readonly name: string;
  readonly score: number;
}

export class Suggestions {
  /** Every word of every name, and every name in one word, with where they stand. */
  private readonly terms = new Map<string, Place[]>();
  private readonly otherWords: readonly string[];

  constructor({ concepts, words }: Vocabulary) {
    concepts.forEach((names, concept) => {
      for (const name of names) this.addName(name, concept);
    });
    this.otherWords = words.filter((word) => plainWords(word).length === 1);
  }

  /**
   * At most three, the nearest first, one a concept; none if nothing is near.
   * @param forms the plain word, and what it may be the plural of
   */
  for(forms: readonly string[]): string[] {
    if (/^\p{N}*$/u.test(forms[0]!)) return [];
    const best = new Map<number | string, Scored>();
    const offer = (key: number | string, name: string, score: number): void => {
      if (score >= LEAST_SCORE && score > (best.get(key)?.score ?? 0))
        best.set(key, { name, score });
    };
    for (const [term, places] of this.terms) {
      const near = Math.max(...forms.map((form) => nearness(form, term)));
      if (near === 0) continue;
      for (const { name, concept, factor } of places) offer(concept!, name, near * factor);
    }
    for (const other of this.otherWords) {
      offer(other, other, OTHER_WORD * bySlips(forms[0]!, other.toLowerCase()));
    }
    const scored = [...best.values()].sort((a, b) => b.score - a.score);
    const near = scored.filter(({ score }) => score >= LEAST_OF_BEST * scored[0]!.score);
    return [...new Set(near.map(({ name }) => name))].slice(0, MOST);
  }

  private addName(name: string, concept: number): void {
    const words = plainWords(name);
    this.addTerm(words.join(''), { name, concept, factor: WHOLE });
    if (words.length === 1) return;
    words.forEach((word, i) => {
      this.addTerm(word, { name, concept, factor: i === words.length - 1 ? HEAD : ASIDE });
    });
  }

  private addTerm(term: string, place: Place): void {
    const places = this.terms.get(term);
    if (places) places.push(place);
    else this.terms.set(term, [place]);
  }
}
