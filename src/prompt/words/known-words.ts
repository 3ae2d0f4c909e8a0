/** Which words of a prompt a model knows, by the vocabulary that it was trained on. */
import type { Vocabulary } from '../../bundle/vocabulary.ts';
import { Corrections } from './corrections.ts';
import { plainEmoji, type ReadEmoji, readEmoji } from './emoji.ts';
import type { WordList } from './english.ts';
import { isFunctionWord, isNegation } from './function-words.ts';
import { pluralOf, singularsOf } from './plurals.ts';
import { Related } from './related.ts';
import { plainWords, type PromptWord, wordsOf } from './split.ts';

/** A word, or a few that belong together, that the model does not know. */
export interface UnknownWord {
  /** As the prompt has it. */
  readonly word: string;
  /** UTF-16 offsets of all its places in the prompt. */
  readonly places: readonly (readonly [start: number, end: number])[];
  /** Known names that may be meant or come near, the likeliest first. */
  readonly suggestions: readonly string[];
  /** Whether it denies what follows, which may be drawn nevertheless. */
  readonly negates?: true;
}

/** Corrections are looked for so many words of a prompt; one in another language has no others. */
const MOST_CORRECTED = 12;
const MOST_SUGGESTIONS = 3;
/** By how many there are. */
const COUNTS = ['', '', 'two', 'three', 'many'];
/** Of the longest name that is looked for around a word. */
const MOST_NAME_WORDS = 8;

/** The words of a prompt, and of each what it may be the singular of, itself included. */
interface Reading {
  readonly prompt: string;
  readonly words: readonly PromptWord[];
  readonly forms: readonly (readonly string[])[];
}

export class KnownWords {
  /** Names, and words that are known together only, in plain words by their first; the longest first. */
  private readonly names = new Map<string, string[][]>();
  private readonly words: ReadonlySet<string>;
  private readonly emoji = new Map<string, readonly string[]>();
  private readonly related: Related;
  private corrections: Corrections | undefined;

  /** @param english words that are spelled correctly, whether the model knows them or not */
  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly english: WordList,
  ) {
    const words = vocabulary.words.map(plainWords);
    this.words = new Set(words.filter(({ length }) => length === 1).flat());
    const together = words.filter(({ length }) => length > 1);
    for (const name of [...vocabulary.concepts.flat().map(plainWords), ...together]) {
      this.names.set(name[0]!, [...(this.names.get(name[0]!) ?? []), name]);
    }
    for (const names of this.names.values()) names.sort((a, b) => b.length - a.length);
    const concepts = new Map(vocabulary.concepts.flatMap((all) => all.map((name) => [name, all])));
    for (const [emoji, name] of Object.entries(vocabulary.emoji ?? {})) {
      this.emoji.set(plainEmoji(emoji), [name, ...(concepts.get(name) ?? [])]);
    }
    this.related = new Related(vocabulary);
  }

  /** Names of each thing that the model draws, the primary one first. */
  get concepts(): Vocabulary['concepts'] {
    return this.vocabulary.concepts;
  }

  /** The prompt as the model should read it: known emoji as words. */
  read(prompt: string): { text: string; emoji: ReadEmoji[] } {
    return readEmoji(prompt, {
      namesOf: (emoji) => this.emoji.get(plainEmoji(emoji)) ?? [],
      counted: (name, count) => this.counted(name, count),
      isBeside: (names, text, side) => names.some((name) => isBeside(plainWords(name), text, side)),
    });
  }

  /**
   * The words that are neither known by themselves nor part of a name that stands in the prompt, each
   * once, in their order. Plurals count as known, and so do known emoji, and function words, which say
   * nothing about an image; of names that overlap the longest counts.
   */
  unknownIn(prompt: string): UnknownWord[] {
    const words = wordsOf(prompt);
    const forms = words.map(formsOf);
    const corrected = this.correct({ prompt, words, forms });
    const reading = {
      prompt,
      words,
      forms: forms.map((own, i) => corrected.get(i)?.flatMap(plainForms) ?? own),
    };
    const unknown = new Map<string, UnknownWord>();
    const add = (at: number, count: number, suggestions: readonly string[]): void => {
      const [start, end] = placeOf(words, at, count);
      const word = prompt.slice(start, end);
      const key = count === 1 ? words[at]!.plain : word.toLowerCase();
      const found = unknown.get(key) ?? {
        word,
        places: [],
        suggestions: [...new Set(suggestions)].slice(0, MOST_SUGGESTIONS),
        ...(isNegation(words[at]!.plain) && { negates: true }),
      };
      unknown.set(key, { ...found, places: [...found.places, [start, end]] });
    };

    for (let i = 0; i < words.length;) {
      const named = this.nameAt(reading.forms, i);
      const related = this.related.at(forms.slice(i));
      if (related && related.count > Math.max(1, named)) {
        add(i, related.count, this.relatedTo(reading, i, related));
        i += related.count;
        continue;
      }
      const count = Math.max(1, named);
      for (let at = i; at < i + count; at++) {
        const corrections = corrected.get(at);
        if (corrections) add(at, 1, corrections);
      }
      if (named === 0 && !corrected.has(i) && !this.isKnown(words[i]!, forms[i]!)) {
        add(i, 1, related ? this.relatedTo(reading, i, related) : []);
      }
      i += count;
    }
    return [...unknown.values()];
  }

  /** Corrections of those words that are misspelled, by their place. */
  private correct(reading: Reading): Map<number, readonly string[]> {
    const found = new Map<number, readonly string[]>();
    let looked = 0;
    reading.words.forEach((word, at) => {
      const forms = reading.forms[at]!;
      const isSpelled =
        word.kind === 'emoji' ||
        !/^\p{L}+$/u.test(word.plain) ||
        isNegation(word.plain) ||
        this.isKnown(word, forms) ||
        this.isNamed(reading.forms, at) ||
        this.related.at([forms]) !== undefined ||
        forms.some((form) => this.english.has(form));
      if (isSpelled || ++looked > MOST_CORRECTED) return;
      const corrections = this.correctionsOf(reading, at);
      if (corrections.length > 0) found.set(at, corrections);
    });
    return found;
  }

  private correctionsOf(reading: Reading, at: number): readonly string[] {
    const { plain } = reading.words[at]!;
    this.corrections ??= new Corrections(this.vocabulary, this.english);
    const looksLikeName = isCapitalised(reading, at);
    for (const form of reading.forms[at]!) {
      const isPlural = form !== plain;
      const texts = this.corrections
        .for(form, (part) => this.isNamed(reading.forms.with(at, [part]), at))
        .filter(({ errors, text }) => !looksLikeName || (errors <= 1 && text.length >= 5))
        .map(({ text }) => text)
        .filter((text) => !isPlural || !this.words.has(text));
      if (texts.length > 0) return isPlural ? texts.map((text) => this.plural(text)) : texts;
    }
    return [];
  }

  private relatedTo(
    { words }: Reading,
    at: number,
    { count, names }: { readonly count: number; readonly names: readonly string[] },
  ): readonly string[] {
    // "two wolves" are to become "two foxes".
    const asTyped = words.slice(at, at + count);
    const isPlural =
      asTyped.every(({ kind }) => kind === 'word') &&
      this.related.at(asTyped.map(({ plain }) => [plain]))?.count !== count;
    return isPlural ? names.map((name) => this.plural(name)) : names;
  }

  /** That many of what a name names, if the model can count them. */
  private counted(name: string, count: number): string {
    const number = COUNTS[Math.min(count, COUNTS.length - 1)]!;
    const several = `${number} ${pluralOf(name)}`;
    return count > 1 && this.isMadeOfKnown(several) ? several : name;
  }

  /** In the plural, if that is known. */
  private plural(name: string): string {
    const plural = pluralOf(name);
    return this.words.has(name) || !this.isMadeOfKnown(plural) ? name : plural;
  }

  private isMadeOfKnown(name: string): boolean {
    const words = wordsOf(name);
    const forms = words.map(formsOf);
    return words.every((word, i) => this.isNamed(forms, i) || this.isKnown(word, forms[i]!));
  }

  /** How many words the longest name has that begins there; 0 if none does. */
  private nameAt(forms: readonly (readonly string[])[], start: number): number {
    const candidates = forms[start]!.flatMap((form) => this.names.get(form) ?? []);
    const matches = candidates.filter((name) =>
      name.every((word, i) => forms[start + i]?.includes(word)),
    );
    return Math.max(0, ...matches.map((name) => name.length));
  }

  private isKnown({ plain, text, kind }: PromptWord, forms: readonly string[]): boolean {
    if (kind === 'emoji') return this.emoji.has(plain);
    return forms.some((form) => this.words.has(form)) || isFunctionWord(plain, text);
  }

  /** Whether the word there belongs to a name. */
  private isNamed(forms: readonly (readonly string[])[], at: number): boolean {
    for (let start = Math.max(0, at - MOST_NAME_WORDS + 1); start <= at; start++) {
      if (start + this.nameAt(forms, start) > at) return true;
    }
    return false;
  }
}

const plainForms = (text: string): string[] => plainWords(text).flatMap(singularsOf);

function formsOf({ plain, kind }: PromptWord): string[] {
  if (kind === 'emoji') return [plain];
  return kind === 'possessive' ? [...singularsOf(plain), `${plain}s`] : singularsOf(plain);
}

function placeOf(words: readonly PromptWord[], at: number, count: number): [number, number] {
  const last = words[at + count - 1]!;
  return [words[at]!.start, last.start + last.text.length];
}

/** Like a name of somebody: where other words are not. */
function isCapitalised({ words }: Reading, at: number): boolean {
  const isLower = ({ text }: PromptWord) => /^\p{Ll}{3}/u.test(text);
  return at > 0 && /^\p{Lu}\p{Ll}/u.test(words[at]!.text) && words.slice(1).some(isLower);
}

/** Far longer than any name. */
const LOOK_BESIDE = 120;

function isBeside(name: readonly string[], text: string, side: 'before' | 'after'): boolean {
  const words = wordsOf(side === 'before' ? text.slice(-LOOK_BESIDE) : text.slice(0, LOOK_BESIDE));
  const beside = side === 'before' ? words.slice(-name.length) : words.slice(0, name.length);
  return (
    beside.length === name.length && name.every((word, i) => formsOf(beside[i]!).includes(word))
  );
}
