/** Known words that a misspelled word is likely to mean. */
import type { Vocabulary } from '../../bundle/vocabulary.ts';
import type { WordList } from './english.ts';
import { typingErrors } from './spelling.ts';
import { plainWords } from './split.ts';

/** Fewer letters begin too many words. */
const LEAST_BEGINNING = 4;
/** Of each part of two words that were written as one. */
const LEAST_PART = 3;

export interface Correction {
  readonly text: string;
  /** 0 for a name that was only written without its spaces. */
  readonly errors: number;
}

/** What is written in the place of a misspelled term. */
interface Term {
  readonly text: string;
  /** A part of a name that means something only within the name. */
  readonly isPart: boolean;
}

export class Corrections {
  private readonly terms = new Map<string, Term>();

  /** @param english correct words, which are not taken for others with a typing error */
  constructor(
    { concepts, words }: Vocabulary,
    private readonly english: WordList,
  ) {
    for (const name of [...concepts.flat(), ...words]) this.add(name);
    // Only where the part is not a known word itself.
    for (const name of [...concepts.flat(), ...words]) {
      for (const word of plainWords(name)) {
        if (!this.terms.has(word)) this.terms.set(word, { text: word, isPart: true });
      }
    }
  }

  private add(name: string): void {
    const joined = plainWords(name).join('');
    if (!this.terms.has(joined)) this.terms.set(joined, { text: name, isPart: false });
  }

  /**
   * The likeliest corrections of a plain word that is no English word, all as likely as each other;
   * none if nothing is likely.
   * @param fits whether a part of a name completes the name where the word stands
   */
  for(word: string, fits: (part: string) => boolean): Correction[] {
    const near = this.near(word, fits);
    const errors = near[0]?.errors ?? Infinity;
    if (errors <= 1) return near;
    const apart = this.apart(word);
    if (apart !== undefined) return [{ text: apart, errors: 1 }];
    // With that many errors, a correct word that is nearer is the one that is meant.
    if (near.length > 0) return this.hasNearer(word, errors) ? [] : near;
    return this.beginningWith(word);
  }

  private near(word: string, fits: (part: string) => boolean): Correction[] {
    let least = Infinity;
    let found: string[] = [];
    for (const [term, { text, isPart }] of this.terms) {
      const errors = typingErrors(word, term);
      if (errors === undefined || errors > least || (isPart && !fits(text))) continue;
      found = errors < least ? [text] : [...found, text];
      least = errors;
    }
    // Letters that changed places are the commonest slip.
    const swaps = (text: string): number => Number(sorted(text) !== sorted(word));
    return found.toSorted((a, b) => swaps(a) - swaps(b)).map((text) => ({ text, errors: least }));
  }

  /** Two known words that were written as one. */
  private apart(word: string): string | undefined {
    for (let at = LEAST_PART; at <= word.length - LEAST_PART; at++) {
      const parts = [this.terms.get(word.slice(0, at)), this.terms.get(word.slice(at))];
      if (parts.every((part) => part && !part.isPart)) {
        return parts.map((part) => part!.text).join(' ');
      }
    }
    return undefined;
  }

  private hasNearer(word: string, errors: number): boolean {
    for (const other of this.english) {
      if (Math.abs(other.length - word.length) >= errors) continue;
      if ((typingErrors(word, other) ?? Infinity) < errors) return true;
    }
    return false;
  }

  /** Names of one word that were not written to their end. */
  private beginningWith(word: string): Correction[] {
    if (word.length < LEAST_BEGINNING) return [];
    return Array.from(this.terms)
      .filter(([term, { isPart }]) => !isPart && term.startsWith(word))
      .map(([term, { text }]) => ({ text, errors: term.length - word.length }));
  }
}

const sorted = (text: string): string => Array.from(text).toSorted().join('');
