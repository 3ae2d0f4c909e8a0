/** Prompts as people type them, and what the embedded model's vocabulary makes of them. */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { vocabularySchema } from '../../../src/bundle/vocabulary.ts';
import { ENGLISH } from '../../../src/prompt/words/english.ts';
import { KnownWords } from '../../../src/prompt/words/known-words.ts';
import { pluralOf, singularsOf } from '../../../src/prompt/words/plurals.ts';

const FILE = new URL('../../../public/models/pocket/vocabulary.json', import.meta.url);
const vocabulary = v.parse(vocabularySchema, JSON.parse(readFileSync(FILE, 'utf8')));
const known = new KnownWords(vocabulary, ENGLISH);

/** "word: suggestion, suggestion; word without any" */
function unknownIn(prompt: string): string {
  return known
    .unknownIn(prompt)
    .map(({ word, suggestions }) =>
      suggestions.length === 0 ? word : `${word}: ${suggestions.join(', ')}`,
    )
    .join('; ');
}

test.each([
  ['a fox', ''],
  ["she'd like a shell in a shed", 'shell; shed: house'],
  ['The FOX, (two) Cats & “a” hot-dog!', 'hot-dog: slice of pizza, french fries'],
  ['please draw me a big fox on a yellow background', ''],
  ['make me a picture of a cat', ''],
  ['make me a sticker of a rocket for my son', 'son'],
  ['can you show me a bear which is very big', ''],
  ['I would like all of the penguins', ''],
  ['a picture that shows a whale', ''],
  ['an image of the earth, please', ''],
  ['an owl with some stars and the moon', ''],
  ['is it a fox or a dog?', ''],
  ["it's a fox and they're his friends", 'friends'],
  ['what does a robot look like', 'look'],
  ['oil painting of a fox', 'oil'],
  ['a hat on a cat', 'hat: crown'],
  ['a cat which wears a hat', 'wears; hat: crown'],
  ['a fox for all', ''],
  ['that hat', 'hat: crown'],
  ['very very big dog', ''],
  ['a fox, thanks!', ''],
  ['a tree', 'tree: pine tree'],
  ['two trees', 'trees: pine trees'],
  ['a flower', 'flower: rose, sunflower'],
  ['flowers on a blue background', 'flowers: roses, sunflowers'],
  ['an animal', 'animal: fox, panda, cat'],
  ['some animals', 'animals: foxes, pandas, cats'],
  ['a bird', 'bird: owl, penguin'],
  ['a fruit', 'fruit: apple, banana, strawberry'],
  ['a vehicle', 'vehicle: car, ship, rocket'],
  ['a tree next to a house', 'tree: pine tree'],
  ['a kitten', 'kitten: cat'],
  ['three puppies', 'puppies: dogs'],
  ["a puppy's ball", 'puppy: dog; ball: soccer ball'],
  ['a wolf', 'wolf: fox, dog'],
  ['two wolves', 'wolves: foxes, dogs'],
  ['a horse', 'horse: zebra'],
  ['a dragon', 'dragon'],
  ['a castle with a king', 'castle: house; king'],
  ['a unicorn on a rainbow', 'unicorn: zebra'],
  ['a lion and a tiger', 'lion: cat; tiger: cat'],
  ["a car's key", ''],
  ["the foxes' house", ''],
  ['the cat’s heart', ''],
  ['a blue-green fish', 'fish: tropical fish'],
  ['a jack-o-lantern', ''],
  ["jack o' lantern", ''],
  ['a light-bulb', ''],
  ['ice-cream', ''],
  ['icecream', 'icecream: ice cream'],
  ['A BIG RED FOX', ''],
  ['Fox And Owl', ''],
  ['a FoX', ''],
  ['5 stars', '5: many'],
  ['seven foxes', 'seven: many'],
  ['a dozen roses', 'a dozen: many'],
  ['12 bees', '12: many'],
  ['three bees', ''],
  ['8 balloons', '8: many'],
  ['8-bit fox', ''],
  ['8 bit art of a fox', ''],
  ['tilted 180 degrees', ''],
  ['1000000 foxes', '1000000'],
  ['a fox with no hat', 'no; hat: crown'],
  ['a fox without a tail', 'without; tail'],
  ['no background', 'no'],
  ["don't draw a cat", "don't"],
  ['not a dog', 'not'],
  ['a teal fox', ''],
  ['a golden fox', ''],
  ['a navy whale', 'navy: dark blue'],
  ['a silver rocket', 'silver: gray'],
  ['a magenta heart', 'magenta: pink'],
  ['a beige cat', 'beige: brown'],
  ['a maroon car', 'maroon: dark red'],
  ['a gray owl, a grey owl', ''],
  ['a lavender butterfly', 'lavender: purple'],
  ['a fox near a house', 'near: next to'],
  ['a fox between two cats', 'between'],
  ['a fox inside a house', 'inside'],
  ['a fox behind a pine tree', ''],
  ['fox in the top left corner', ''],
  ['a fox in the forest at night', 'forest; night'],
  ['a 🦊', ''],
  ['🦊🦊', ''],
  ['🦊🦊🦊', ''],
  ['a 🦊 on a 🌈', ''],
  ['❤️', ''],
  ['❤', ''],
  ['💙 and 💚', ''],
  ['👩🏽‍🚀', ''],
  ['🧑🏿‍🚀 and 👨‍🚀', ''],
  ['a fox 🦊', ''],
  ['🐺', '🐺: fox, dog'],
  ['a 🐉', '🐉'],
  ['👨‍👩‍👧', '👨‍👩‍👧'],
  ['3️⃣ foxes', ''],
  ['🇫🇷 flag', '🇫🇷; flag'],
  ['© fox ™', ''],
  ['an appel', 'appel: apple'],
  ['an aple', 'aple: apple'],
  ['a foxx', 'foxx: fox'],
  ['strawbery', 'strawbery: strawberry'],
  ['a pengiun', 'pengiun: penguin'],
  ['a buterfly', 'buterfly: butterfly'],
  ['a gitar', 'gitar: guitar'],
  ['a balon', 'balon'],
  ['a bule fox', 'bule: blue, bulb'],
  ['a gren frog', 'gren: green, grey'],
  ['a rde apple', 'rde: red'],
  ['halloween pumkin', 'pumkin: pumpkin'],
  ['an ice craem cone', 'craem: cream'],
  ['a redfox', 'redfox: red fox'],
  ['bluewhale', 'bluewhale: blue whale'],
  ['elefant', 'elefant'],
  ['zorro rojo', 'zorro; rojo'],
  ['лиса на синем фоне', 'лиса; на; синем; фоне'],
  ['一只狐狸', '一只狐狸'],
  ['Paris', 'Paris'],
  ['a photo of Darth Vader', 'Darth; Vader'],
  ['a man with a smile', 'man: astronaut; smile: smiley face'],
  ['a happy dog', 'happy'],
  ['4k, highly detailed, masterpiece', '4k; highly; detailed; masterpiece'],
  ['beer and bread', 'beer; bread'],
  ['bare bear', 'bare'],
  ['a goat in a boat', 'goat: pig; boat: ship'],
  ['a coat on a cot', 'coat; cot'],
  ['house mouse', 'mouse'],
  ['a rat on a mat', 'rat; mat'],
  ['a bug', 'bug: ladybug, bee, butterfly'],
  ['a moon and a spoon', 'spoon'],
  ['rows of roses', 'rows'],
  ['a pair of stars', ''],
  ['a bunch of bananas', ''],
  ['a cup of coffee', 'cup; coffee'],
])('%s: %s', (prompt, expected) => {
  expect(unknownIn(prompt)).toBe(expected);
});

test.each([
  ['a 🦊', 'a fox'],
  ['🦊🦊', 'two foxes'],
  ['🦊🦊🦊', 'three foxes'],
  ['a 🦊 on a 🌈', 'a fox on a rainbow'],
  ['❤️', 'heart'],
  ['❤', 'heart'],
  ['💙 and 💚', 'blue heart and green heart'],
  ['👩🏽‍🚀', 'astronaut'],
  ['🧑🏿‍🚀 and 👨‍🚀', 'astronaut and astronaut'],
  ['a fox 🦊', 'a fox'],
  ['3️⃣ foxes', '3 foxes'],
  ['fox', 'fox'],
  ['two foxes 🦊🦊', 'two foxes'],
  ['🦊 fox', 'fox'],
  ['(🦊)🌲!', '(fox) pine tree!'],
  ['🍕🍕🍕🍕', 'many slices of pizza'],
  ['a 🐺', 'a 🐺'],
])('%s is read as %s', (prompt, expected) => {
  expect(known.read(prompt).text).toBe(expected);
});

test('every emoji that is said to be drawn is read as words that are known', () => {
  for (const emoji of Object.keys(vocabulary.emoji!)) {
    expect(known.unknownIn(emoji)).toEqual([]);
    expect(known.unknownIn(known.read(emoji).text)).toEqual([]);
    expect(known.read(emoji).text).not.toContain(emoji);
  }
});

test('every related name is known, and no key is', () => {
  for (const [key, names] of Object.entries(vocabulary.related!)) {
    expect(known.unknownIn(key).map(({ suggestions }) => suggestions)).toEqual([names.slice(0, 3)]);
    for (const name of names) expect(known.unknownIn(name)).toEqual([]);
  }
});

test('no correct English word is taken for a typing error of another', () => {
  const primary = vocabulary.concepts.map(([name]) => name!);
  for (const word of ENGLISH) {
    const [found] = known.unknownIn(word);
    const forms = singularsOf(word);
    const related = forms.flatMap((form) => vocabulary.related![form] ?? []);
    const heads = primary.filter((name) =>
      forms.some((form) => name.endsWith(` ${form}`) || name.startsWith(`${form} of `)),
    );
    const near = new Set([...related, ...heads].flatMap((name) => [name, pluralOf(name)]));
    for (const one of found?.suggestions ?? []) expect(near, word).toContain(one);
  }
});

test('a negation is marked, for what follows it is drawn all the same', () => {
  const negations = ['no', 'not', 'without', "don't", 'DON’T', 'dont', 'never'];
  for (const word of negations) {
    expect(known.unknownIn(`a fox ${word} cat`)).toMatchObject([{ word, negates: true }]);
  }
});
