import { useComputed } from '@preact/signals';
import { SliderField } from '../controls/fields.tsx';
import { percent } from '../controls/format.ts';
import { type Axis, Chart, type Line } from './Chart.tsx';
import { geometricMean, SIGMAS } from './errors.ts';
import { abscissa, chosen, errors, shown } from './state.ts';

const SIGMA: Axis = { label: 'σ', format: (sigma) => sigma.toFixed(2), range: [0.1, 1] };
const ERROR: Axis = { label: 'Relative error', format: percent, logarithmic: true, margin: 1.3 };

const ORDERS = [1, 2, 3];
const LINES: readonly Line[] = [
  { label: 'Order 1', color: 'var(--chart-2)', kind: 'line' },
  { label: 'Order 2', color: 'var(--chart-3)', kind: 'line', dash: [8, 4] },
  { label: 'Order 3', color: 'var(--chart-5)', kind: 'line', dash: [3, 3] },
];

/** Which sigma would have been best, for each order: at one compute step or over all of them. */
export function SigmaChart() {
  const curves = useComputed(() =>
    ORDERS.map((order) => errors.value!.hermiteErrors(order, abscissa.value).map(ofShown)),
  );
  const data = useComputed(() => [SIGMAS, ...curves.value]);
  const { evidence } = errors.value!;
  const step = evidence[shown.value - 1];
  return (
    <figure class="wide">
      <figcaption>
        <h3>Error against σ</h3>
        <p class="hint">{describe(curves.value)}</p>
      </figcaption>
      <div class="chart-controls">
        <SliderField
          label="Compute step"
          hint={
            step
              ? `${step.distance} after the compute step before it.`
              : 'The geometric mean of all. Move on for one at a time.'
          }
          value={shown.value}
          min={0}
          max={evidence.length}
          step={1}
          text={step ? `step ${step.step + 1}` : 'all'}
          onChange={(value) => (chosen.value = value || 0)}
        />
      </div>
      <Chart
        title="Error of Hermite forecasts against sigma"
        description={describe(curves.value)}
        x={SIGMA}
        y={ERROR}
        lines={LINES}
        data={data.value}
      />
    </figure>
  );
}

function ofShown(errorsOfSteps: readonly number[]): number | null {
  const error = shown.value ? errorsOfSteps[shown.value - 1]! : geometricMean(errorsOfSteps);
  return error > 0 && Number.isFinite(error) ? error : null;
}

function describe(curves: readonly (readonly (number | null)[])[]): string {
  const points = curves.flatMap((curve, i) =>
    curve.map((error, j) => ({ order: ORDERS[i]!, sigma: SIGMAS[j]!, error: error ?? Infinity })),
  );
  const best = points.reduce((a, b) => (b.error < a.error ? b : a));
  const published = points.find(({ order, sigma }) => order === 2 && sigma === 0.5)!;
  const where = shown.value
    ? `Step ${errors.value!.evidence[shown.value - 1]!.step + 1}`
    : 'Over all';
  return `${where}: least ${percent(best.error)} at order ${best.order}, σ ${best.sigma.toFixed(2)}; ${percent(published.error)} at the published order 2, σ 0.50.`;
}
