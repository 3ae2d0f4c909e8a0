import type { Vocabulary } from '../../../src/bundle/vocabulary.ts';

/** As a model's maker writes it. */
export const VOCABULARY: Vocabulary = {
  concepts: [
    ['red apple', 'apple'],
    ['green apple'],
    ['fox', 'fox face'],
    ['strawberry'],
    ['cat', 'kitty'],
    ['crab'],
    ['hermit crab'],
    ['hot dog'],
    ['dog'],
    ['cup of coffee', 'coffee cup'],
    ['ice cream'],
    ['wolf'],
    ['knife'],
    ['jack-o-lantern'],
    ['piñata'],
    ['soccer ball'],
    ['guitar'],
  ],
  words: ['a', 'an', 'the', 'on', 'and', 'two', '2', 'blue', 'striped', 'background'],
};
