/** English plurals, the simple ones: what a word may be the plural of. */

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
