import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TimeLeft } from '../../../src/shared/time-left.ts';

test('steady work ends when it says, whatever was there already', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 90 }),
      fc.integer({ min: 1, max: 100 }),
      (there, secondsPerPercent) => {
        let now = 100;
        const timeLeft = new TimeLeft(() => now);
        expect(timeLeft.at(there / 100)).toBeNull();
        for (let percent = there + 1; percent <= 100; percent++) {
          now += secondsPerPercent;
          expect(timeLeft.at(percent / 100)).toBeCloseTo((100 - percent) * secondsPerPercent, 6);
        }
      },
    ),
  );
});

test('goes by what was lately', () => {
  let now = 0;
  const timeLeft = new TimeLeft(() => now);
  timeLeft.at(0);
  now = 1;
  timeLeft.at(0.5);
  for (let i = 1; i <= 40; i++) {
    now += 10;
    timeLeft.at(0.5 + i / 100);
  }
  expect(timeLeft.at(0.9)).toBeGreaterThan(80);
  expect(timeLeft.at(0.9)).toBeLessThan(120);
});
