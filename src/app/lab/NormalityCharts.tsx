import { useComputed } from '@preact/signals';
import {
  histogram,
  jarqueBera,
  normalDensity,
  normalQuantiles,
} from '../../forecast/verification/normality.ts';
import { finished } from '../state.ts';
import { type Axis, Chart, type Line } from './Chart.tsx';
import { normalityVerdict, pValueText } from './verdict.ts';

/** Standard deviations to either side of the histogram, and its bins. */
const REACH = 4;
const BINS = 32;

const fixed =
  (digits: number) =>
  (value: number): string =>
    value.toFixed(digits);

/** Three digits, in full. */
const rounded = (value: number): string =>
  value.toLocaleString('en', { maximumSignificantDigits: 3 });

const DIFFERENCE: Axis = {
  label: 'Difference',
  format: fixed(1),
  range: [-REACH, REACH],
};
const DENSITY: Axis = { label: 'Density', format: fixed(2) };
const NORMAL: Axis = { label: 'Gaussian quantile', format: fixed(1), margin: 0.2 };
const SAMPLE: Axis = { label: 'Quantile here', format: fixed(1) };

const HISTOGRAM_LINES: readonly Line[] = [
  { label: 'Differences', color: 'var(--forecast)', kind: 'bars' },
  { label: 'Gaussian', color: 'var(--chart-3)', kind: 'line' },
];
const QUANTILE_LINES: readonly Line[] = [
  { label: 'If Gaussian', color: 'var(--chart-3)', kind: 'line' },
  { label: 'Differences', color: 'var(--accent)', kind: 'points' },
];

/** Whether the features' differences are Gaussian, as HiCache's derivation takes them to be. */
export function NormalityCharts() {
  const sample = useComputed(() => finished.value?.result.stats.differenceSamples ?? null);
  const bins = useComputed(() => histogram(sample.value ?? [], -REACH, REACH, BINS));
  const bars = useComputed(() => [
    bins.value.centres,
    bins.value.density,
    bins.value.centres.map(normalDensity),
  ]);
  const quantiles = useComputed(() => {
    const normal = normalQuantiles(sample.value?.length ?? 0);
    return [normal, normal, (sample.value ?? []).toSorted((a, b) => a - b)];
  });
  if (!sample.value || sample.value.length < 2) return null;

  const count = sample.value.length;
  const test = jarqueBera(sample.value);
  const verdict = normalityVerdict(test, count);
  const { outside } = bins.value;
  return (
    <figure class="full">
      <figcaption>
        <h3>Are feature differences Gaussian?</h3>
        <p class="hint">
          {verdict} HiCache takes Hermite polynomials because it expects them to be.
          {outside > 0 && ` ${outside} of ${count} values lie outside the histogram.`}
        </p>
      </figcaption>
      <dl class="test">
        <Figure name="Skewness" value={test.skewness.toFixed(2)} />
        <Figure name="Excess kurtosis" value={test.excessKurtosis.toFixed(2)} />
        <Figure name="Jarque-Bera" value={rounded(test.statistic)} />
        <Figure name="p value" value={pValueText(test.pValue)} />
        <Figure name="Values" value={String(count)} />
      </dl>
      <div class="pair">
        <Chart
          title="Histogram of the standardised feature differences with the Gaussian density"
          description={verdict}
          x={DIFFERENCE}
          y={DENSITY}
          lines={HISTOGRAM_LINES}
          data={bars.value}
        />
        <Chart
          title="Normal quantile-quantile plot of the feature differences"
          description={verdict}
          x={NORMAL}
          y={SAMPLE}
          lines={QUANTILE_LINES}
          data={quantiles.value}
        />
      </div>
    </figure>
  );
}

function Figure({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
