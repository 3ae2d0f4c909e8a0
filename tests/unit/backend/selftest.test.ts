import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { selfTestGraphs } from '../../../tools/selftest-graphs.ts';

test('the self-test graphs in public/ are what tools/selftest-graphs.ts writes', () => {
  for (const [name, bytes] of selfTestGraphs()) {
    expect(new Uint8Array(readFileSync(`public/selftest/${name}`)), name).toEqual(bytes);
  }
});
