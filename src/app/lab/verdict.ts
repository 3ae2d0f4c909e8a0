/** What a test of normality says, in a sentence. */
import type { NormalityTest } from '../../forecast/verification/normality.ts';

/** A p value under this speaks against a normal distribution. */
const SIGNIFICANT = 0.01;

/** Departures smaller than this are not worth a word. */
const NOTABLE = 0.1;

export function normalityVerdict(test: NormalityTest, count: number): string {
  const { skewness, excessKurtosis, pValue } = test;
  if (Number.isNaN(pValue)) return 'The differences are all the same; there is nothing to test.';
  if (pValue >= SIGNIFICANT) {
    return `Nothing here speaks against a Gaussian: samples of ${count} values depart from one as far as this by chance.`;
  }
  const departures = [
    excessKurtosis > NOTABLE && 'heavier tails',
    excessKurtosis < -NOTABLE && 'lighter tails',
    skewness > NOTABLE && 'a longer tail to the right',
    skewness < -NOTABLE && 'a longer tail to the left',
  ].filter((text) => text !== false);
  const how = departures.length > 0 ? `they have ${departures.join(' and ')}` : 'by little';
  return `These differences are not Gaussian: ${how}; a Gaussian hardly ever gives such a sample.`;
}

/** `0.0004` → `under 0.001`. */
export function pValueText(p: number): string {
  return p < 0.001 ? 'under 0.001' : p.toFixed(3);
}
