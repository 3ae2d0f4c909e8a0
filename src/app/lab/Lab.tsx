import { useEffect } from 'preact/hooks';
import { finished } from '../state.ts';
import { loadCharts, loaded } from './load.ts';
import { errors, LAB_ID, open } from './state.ts';

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
        {open.value && <Inside />}
      </details>
    </section>
  );
}

function Inside() {
  useEffect(() => void loadCharts(), []);
  const state = loaded.value;
  switch (state.kind) {
    case 'ready':
      return <state.LabCharts />;
    case 'loading':
      return (
        <p class="hint lab-wait" role="status">
          Loading the charts…
        </p>
      );
    case 'failed':
      return (
        <div class="lab-wait" role="alert">
          <p class="problem">
            The charts could not be loaded, perhaps because the connection was lost. Try again, or
            reload the page.
          </p>
          <button type="button" onClick={() => void loadCharts()}>
            Try again
          </button>
        </div>
      );
  }
}
