import { expect, test } from 'vitest';
import { bytesInWords } from '../../../src/shared/bytes.ts';

test.each([
  [0, '0 kB'],
  [1, '1 kB'],
  [999_001, '1000 kB'],
  [1e6, '1.0 MB'],
  [312_345_678, '312.3 MB'],
  [999_949_999, '999.9 MB'],
  [999_960_000, '1.00 GB'],
  [6_740_000_000, '6.74 GB'],
  [99_996_000_000, '100 GB'],
  [214e9, '214 GB'],
])('%d bytes are %s', (bytes, text) => {
  expect(bytesInWords(bytes)).toBe(text);
});
