import { expect, test } from 'vitest';
import { relativeBucket } from '../../../src/convert/graphs/components/t5.ts';

/** From transformers' T5Attention._relative_position_bucket, 32 buckets, distance 128. */
const FIRST_DISTANCE = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91];

test('buckets begin where those of transformers begin', () => {
  const config = { relative_attention_num_buckets: 32, relative_attention_max_distance: 128 };
  for (let distance = 0; distance <= 300; distance++) {
    const bucket = FIRST_DISTANCE.findLastIndex((first) => first <= distance);
    expect(relativeBucket(-distance, config)).toBe(bucket);
    if (distance > 0) expect(relativeBucket(distance, config)).toBe(16 + bucket);
  }
});
