/** English plurals, the simple ones. */

const IRREGULAR: Readonly<Record<string, string>> = {
  people: 'person',
  children: 'child',
  mice: 'mouse',
  geese: 'goose',
  feet: 'foot',
  teeth: 'tooth',
  oxen: 'ox',
  cacti: 'cactus',
  octopi: 'octopus',
  dice: 'die',
  wolves: 'wolf',
  leaves: 'leaf',
  loaves: 'loaf',
  elves: 'elf',
  shelves: 'shelf',
  knives: 'knife',
};

/** What its ending stands for in the singular. */
const ENDINGS: readonly (readonly [plural: RegExp, singular: string])[] = [
  [/ies$/, 'y'],
  [/ves$/, 'f'],
  [/ves$/, 'fe'],
  [/zzes$/, 'z'],
  [/(?<=s|x|z|ch|sh|o)es$/, ''],
  [/men$/, 'man'],
  [/(?<=[^s])s$/, ''],
];

/** The word itself first, then all that it may be the plural of; some are no words at all. */
export function singularsOf(word: string): string[] {
  const found = new Set([word]);
  const irregular = Object.hasOwn(IRREGULAR, word) ? IRREGULAR[word] : undefined;
  if (irregular !== undefined) found.add(irregular);
  for (const [plural, singular] of ENDINGS) {
    const stem = word.replace(plural, '');
    // "is" and "as" are no plurals.
    if (stem !== word && stem.length >= 2) found.add(stem + singular);
  }
  return [...found];
}

const PLURALS: ReadonlyMap<string, string> = new Map(
  Object.entries(IRREGULAR).map(([plural, singular]) => [singular, plural]),
);

/** The same in both numbers, or in the plural already. */
const UNCHANGED = /(?:fish|fries|popcorn|sheep|deer|grapes)$/;

/** Several of what a name names: of "slice of pizza" the slices, of "red fox" the foxes. */
export function pluralOf(name: string): string {
  const [, head = name, rest = ''] = /^(.+?)( (?:of|with|in) .+)$/.exec(name) ?? [];
  return headPlural(head) + rest;
}

function headPlural(head: string): string {
  const [, before = '', last = head] = /^(.* )?(\S+)$/.exec(head) ?? [];
  const irregular = PLURALS.get(last);
  if (irregular !== undefined) return before + irregular;
  if (UNCHANGED.test(last)) return head;
  if (last.endsWith('man')) return head.replace(/man$/, 'men');
  if (/[^aeiou]y$/.test(last)) return head.replace(/y$/, 'ies');
  return head + (/(?:s|x|z|ch|sh)$/.test(last) ? 'es' : 's');
}
