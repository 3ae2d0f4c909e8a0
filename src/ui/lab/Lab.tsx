import type { Abscissa } from '../../cache/settings.ts';
import { Segments } from '../choices.tsx';
import { finished } from '../state.ts';
import { NormalityCharts } from './NormalityCharts.tsx';
import { SigmaChart } from './SigmaChart.tsx';
import { abscissa, errors, LAB_ID, open } from './state.ts';
import { StepChart } from './StepChart.tsx';

const ABSCISSA_NAMES: Readonly<Record<Abscissa, string>> = {
  flow: 'Flow time',
  step: 'Step numbers',
};

/** What the finished run's own features say about forecasting. */
export function Lab() {
  if (!errors.value || !finished.value) return null;
  const { prompt, seed } = finished.value.request;
  return (
    <section class="card lab" id={LAB_ID} aria-labelledby="lab-title">
      <details open={open.value} onToggle={(event) => (open.value = event.currentTarget.open)}>
        <summary>
          <h2 id="lab-title">Forecast lab</h2>
          <span class="hint">
            How far forecasts of “{prompt}”, seed {seed}, were from what was then computed
          </span>
        </summary>
        {open.value && (
          <>
            <Segments
              label="Forecast along"
              names={ABSCISSA_NAMES}
              value={abscissa.value}
              onChange={(chosen) => (abscissa.value = chosen)}
            />
            <div class="charts">
              <StepChart />
              <SigmaChart />
              <NormalityCharts />
            </div>
          </>
        )}
      </details>
    </section>
  );
}
