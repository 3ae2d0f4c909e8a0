import { useComputed } from '@preact/signals';
import { LINEAR, REUSE } from '../../forecast/verification/candidates.ts';
import { type Forecaster, LIMITS } from '../../forecast/settings.ts';
import { Segments } from '../controls/choices.tsx';
import { SliderField } from '../controls/fields.tsx';
import { percent } from '../controls/format.ts';
import { type Axis, Chart, type Line } from './Chart.tsx';
import { geometricMean, hermite } from './errors.ts';
import { abscissa, errors, order, sigma } from './state.ts';

const STEP: Axis = { label: 'Compute step', format: String, whole: true, margin: 1 };
const ERROR: Axis = { label: 'Relative error', format: percent, logarithmic: true, margin: 1.3 };

interface Shown extends Omit<Line, 'kind'> {
  readonly forecaster: Forecaster;
}

/** The error that forecasters of several kinds had, or would have had, at every compute step. */
export function StepChart() {
  const lines = useComputed(() => shownForecasters());
  const table = useComputed(() => {
    const { evidence } = errors.value!;
    return [
      evidence.map(({ step }) => step + 1),
      ...lines.value.map(({ forecaster }) => errors.value!.errors(forecaster).map(drawable)),
      evidence.map(({ served }) => served && drawable(served)),
    ];
  });
  return (
    <figure class="wide">
      <figcaption>
        <h3>Error at every compute step</h3>
        <p class="hint">{describe(lines.value, table.value)}</p>
      </figcaption>
      <div class="chart-controls">
        <Segments
          label="Hermite order"
          names={{ 1: '1', 2: '2', 3: '3' }}
          value={String(order.value) as '1' | '2' | '3'}
          onChange={(chosen) => (order.value = Number(chosen))}
        />
        <SliderField
          label="Hermite σ"
          hint="Of the Hermite line below."
          value={sigma.value}
          {...LIMITS.sigma}
          step={0.01}
          onChange={(value) => (sigma.value = value || sigma.value)}
        />
      </div>
      <Chart
        title="Verified relative error at each compute step"
        description={describe(lines.value, table.value)}
        x={STEP}
        y={ERROR}
        lines={[
          ...lines.value.map((line): Line => ({ ...line, kind: 'dots' })),
          { label: 'Served', color: 'var(--accent)', kind: 'dots', width: 3 },
        ]}
        data={table.value}
      />
    </figure>
  );
}

function shownForecasters(): Shown[] {
  const along = abscissa.value;
  const named = (
    label: string,
    color: number,
    forecaster: Forecaster,
    dash?: readonly number[],
  ): Shown => ({
    label,
    color: `var(--chart-${color})`,
    forecaster: { ...forecaster, abscissa: along },
    width: 1.5,
    ...(dash && { dash }),
  });
  const chosen = hermite(order.value, sigma.value, along);
  return [
    named('Reuse', 1, REUSE, [2, 3]),
    named('Linear', 2, LINEAR),
    named(`Hermite ${order.value}, σ ${sigma.value.toFixed(2)}`, 3, chosen),
    named('Newton 2', 4, { ...LINEAR, order: 2 }, [8, 4]),
    named('Chebyshev', 5, { ...LINEAR, basis: 'chebyshev' }, [5, 3]),
    named('Dynamic modes', 6, { ...LINEAR, basis: 'dmd' }, [8, 3, 2, 3]),
  ];
}

/** Zero has no logarithm. */
const drawable = (error: number): number | null =>
  error > 0 && Number.isFinite(error) ? error : null;

function describe(
  lines: readonly Shown[],
  [, ...values]: readonly (readonly (number | null)[])[],
): string {
  const means = lines.map(({ label }, i) => ({
    label,
    mean: geometricMean(values[i]!.filter((value) => value !== null)),
  }));
  const best = means.reduce((a, b) => (b.mean < a.mean ? b : a));
  const reuse = means[0]!;
  return `Geometric means over ${values[0]!.length} compute steps: least ${percent(best.mean)} with ${best.label}; ${percent(reuse.mean)} with plain reuse.`;
}
