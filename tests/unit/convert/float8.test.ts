import { expect, test } from 'vitest';
import { e4m3ToFloats, e5m2ToFloats } from '../../../src/convert/checkpoint/float8.ts';
import golden from '../../golden/float8.json';

test('every byte means what it means to PyTorch', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const decoded = { e4m3fn: e4m3ToFloats(bytes), e5m2: e5m2ToFloats(bytes) };
  for (const kind of ['e4m3fn', 'e5m2'] as const) {
    const said = [...decoded[kind]].map((value) =>
      Number.isFinite(value) ? value : String(value),
    );
    expect(said).toEqual(golden[kind]);
  }
});
