/** Which words of a prompt a model knows, by the vocabulary that it was trained on. */
import type { Vocabulary } from '../../bundle/vocabulary.ts';
import { singularsOf } from './singulars.ts';
import { plainWords, wordsOf } from './split.ts';
import { Suggestions } from './suggest.ts';

/** A word that the model does not know, as the prompt has it, and known names near to it. */
export interface UnknownWord {
  readonly word: string;
  readonly suggestions: readonly string[];
}

/** Suggestions are looked for so many words of a prompt; one in another language has no others. */
const MOST_SUGGESTED = 12;

export class KnownWords {
  /** Names of several words, and of one, by their first word; the longest first. */
  private readonly names = new Map<string, string[][]>();
  private readonly words: ReadonlySet<string>;
  private suggestions: Suggestions | undefined;

  constructor(private readonly vocabulary: Vocabulary) {
    this.words = new Set(vocabulary.words.flatMap(plainWords));
    for (const name of vocabulary.concepts.flat()) {
      const words = plainWords(name);
      this.names.set(words[0]!, [...(this.names.get(words[0]!) ?? []), words]);
    }
    for (const names of this.names.values()) names.sort((a, b) => b.length - a.length);
  }

  /** Names of each thing that the model draws, the primary one first. */
  get concepts(): Vocabulary['concepts'] {
    return this.vocabulary.concepts;
  }

  /**
   * The words that are neither known by themselves nor part of a name that stands in the prompt, each
   * once, in their order. Plurals count as known; of names that overlap the longest counts.
   */
  unknownIn(prompt: string): UnknownWord[] {
    const words = wordsOf(prompt);
    const forms = words.map(({ plain }) => singularsOf(plain));
    const unknown = new Map<string, UnknownWord>();
    for (let i = 0; i < words.length;) {
      const named = this.nameAt(forms, i);
      const { text, plain } = words[i]!;
      if (named === 0 && !this.isWord(forms[i]!) && !unknown.has(plain)) {
        const suggestions = unknown.size < MOST_SUGGESTED ? this.near(forms[i]!) : [];
        unknown.set(plain, { word: text, suggestions });
      }
      i += Math.max(1, named);
    }
    return [...unknown.values()];
  }

  /** How many words the longest name has that begins there; 0 if none does. */
  private nameAt(forms: readonly (readonly string[])[], start: number): number {
    const candidates = forms[start]!.flatMap((form) => this.names.get(form) ?? []);
    const matches = candidates.filter((name) =>
      name.every((word, i) => forms[start + i]?.includes(word)),
    );
    return Math.max(0, ...matches.map((name) => name.length));
  }

  private isWord(forms: readonly string[]): boolean {
    return forms.some((form) => this.words.has(form));
  }

  private near(forms: readonly string[]): string[] {
    this.suggestions ??= new Suggestions(this.vocabulary);
    return this.suggestions.for(forms);
  }
}
