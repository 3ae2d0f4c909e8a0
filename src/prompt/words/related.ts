/** Known names near in meaning to words that a model does not know. */
import type { Vocabulary } from '../../bundle/vocabulary.ts';
import { plainWords } from './split.ts';

const PREPOSITIONS = new Set(['of', 'in', 'with', 'without', 'on', 'for', 'at', 'over', 'from']);

export class Related {
  /** Entries by the first plain word of their key; the longest key first. */
  private readonly entries = new Map<string, { words: string[]; names: readonly string[] }[]>();
  private readonly heads = new Map<string, string[]>();

  constructor({ concepts, related = {} }: Vocabulary) {
    for (const [key, names] of Object.entries(related)) {
      const words = plainWords(key);
      const [first] = words;
      if (first === undefined) continue;
      const entries = [...(this.entries.get(first) ?? []), { words, names }];
      this.entries.set(
        first,
        entries.sort((a, b) => b.words.length - a.words.length),
      );
    }
    for (const names of concepts) this.addHead(names);
  }

  /** What "tree" is of "pine tree"; not what "dog" is of "hot dog", which is also written "hotdog". */
  private addHead(names: readonly string[]): void {
    const [primary] = names as [string];
    const words = plainWords(primary);
    // What follows a preposition only says more about it.
    const said = words.findIndex((word, i) => i > 0 && PREPOSITIONS.has(word));
    const head = words.at(said < 0 ? -1 : said - 1)!;
    if (words.length === 1 || names.some((name) => plainWords(name)[0] === words.join(''))) return;
    this.heads.set(head, [...(this.heads.get(head) ?? []), primary]);
  }

  /**
   * The longest entry that begins with one of the words' forms.
   * @param forms of each word from there on, what it may be the singular of
   * @returns how many words it takes, and the names
   */
  at(
    forms: readonly (readonly string[])[],
  ): { count: number; names: readonly string[] } | undefined {
    const found = forms[0]!
      .flatMap((form) => this.entries.get(form) ?? [])
      .filter(({ words }) => words.every((word, i) => forms[i]?.includes(word)))
      .toSorted((a, b) => b.words.length - a.words.length)[0];
    if (found) return { count: found.words.length, names: found.names };
    const names = forms[0]!.flatMap((form) => this.heads.get(form) ?? []);
    return names.length > 0 ? { count: 1, names } : undefined;
  }
}
