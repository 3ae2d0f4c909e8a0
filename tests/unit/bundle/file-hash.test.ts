import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FileHash } from '../../../src/bundle/file-hash.ts';
import { PART_BYTES } from '../../../src/bundle/manifest.ts';
import { nodeSha256 } from '../../../src/node/sha256.ts';
import { noise } from '../support/download-bundle.ts';

const CONTENT = noise(2.5 * PART_BYTES, 3);

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function expected(bytes: Uint8Array): string[] {
  const count = Math.ceil(bytes.length / PART_BYTES);
  return Array.from({ length: count }, (_, i) =>
    sha256(bytes.subarray(i * PART_BYTES, (i + 1) * PART_BYTES)),
  );
}

/** Lengths of pieces, few of which end where a part does. */
const pieces = fc.array(
  fc.record({
    length: fc.oneof(
      fc.nat(100),
      fc.nat(PART_BYTES),
      fc.constantFrom(0, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES),
    ),
    rests: fc.boolean(),
    asked: fc.boolean(),
  }),
  { maxLength: 6 },
);

test.each([undefined, nodeSha256])(
  'hashes of a file in pieces are those of the whole, whenever it rests',
  async (newHash) => {
    const property = fc.asyncProperty(pieces, async (given) => {
      const hash = new FileHash(newHash);
      let end = 0;
      for (const { length, rests, asked } of given) {
        const piece = CONTENT.slice(end, end + length);
        end += piece.length;
        hash.update(piece);
        piece.fill(0); // a writer may use its memory again
        if (rests) hash.rest();
        if (!asked) continue;
        const so = CONTENT.subarray(0, end);
        expect(hash.hashes()).toEqual({ bytes: end, sha256: sha256(so) });
        expect(await hash.parts()).toEqual(expected(so));
      }
      const all = CONTENT.subarray(0, end);
      expect(hash.hashes()).toEqual({ bytes: end, sha256: sha256(all) });
      expect(await hash.parts()).toEqual(expected(all));
    });
    await fc.assert(property, { numRuns: 10 });
  },
  60_000,
);
