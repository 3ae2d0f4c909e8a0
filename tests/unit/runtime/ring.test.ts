import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ring } from '../../../src/runtime/ring.ts';

test('holds the newest, newest first, whatever was written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(fc.integer()), (size, written) => {
      const slots = Array.from({ length: size }, () => ({ value: NaN }));
      const ring = new Ring(slots);
      for (const value of written) {
        ring.next.value = value;
        ring.advance();
      }
      const kept = written.slice(-size).reverse();
      expect(ring.newest(kept.length).map((slot) => slot.value)).toEqual(kept);
      expect(() => ring.newest(kept.length + 1)).toThrow(RangeError);
    }),
  );
});

test('the slot to write next is none of the newest others', () => {
  const ring = new Ring(['a', 'b', 'c']);
  for (let i = 0; i < 7; i++) ring.advance();
  expect(ring.newest(2)).not.toContain(ring.next);
});
