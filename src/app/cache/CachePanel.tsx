import type { Abscissa, Differences } from '../../forecast/settings.ts';
import { changeCache } from '../actions.ts';
import { CacheSlider } from './CacheSlider.tsx';
import { Select, Switch } from '../controls/choices.tsx';
import {
  BASIS_OPTIONS,
  usesAbscissa,
  usesDifferences,
  usesOrder,
  usesSigma,
} from '../controls/format.ts';
import { isChosen, PRESETS } from './presets.ts';
import { ScheduleFields } from './ScheduleFields.tsx';
import { cache, run } from '../state.ts';

/** How steps are forecast. Every control works while a picture is being made. */
export function CachePanel() {
  const { basis, correct } = cache.value;
  return (
    <section class="card cache" aria-labelledby="cache-title">
      <header>
        <h2 id="cache-title">Feature cache</h2>
        {run.value && <span class="live">live</span>}
      </header>
      <Presets />
      <ScheduleFields />
      <div class="group">
        <Select
          label="Basis"
          names={BASIS_OPTIONS}
          value={basis}
          onChange={(chosen) => changeCache({ basis: chosen })}
        />
        <CacheSlider
          name="order"
          label="Order"
          hint="Highest difference in the forecast."
          unused={!usesOrder(basis)}
        />
        <CacheSlider
          name="sigma"
          label="Sigma"
          hint="Damps the higher orders; 0.71 is plain Taylor at order 1."
          step={0.01}
          unused={!usesSigma(basis)}
        />
      </div>
      <Switch
        label="Correct forecasts at compute steps"
        hint={
          basis === 'none'
            ? 'Nothing to correct: no step is forecast.'
            : 'They are made again between two computed features, without the transformer.'
        }
        value={correct}
        unused={basis === 'none'}
        onChange={(value) => changeCache({ correct: value })}
      />
      <More />
    </section>
  );
}

function Presets() {
  return (
    <div class="presets" role="group" aria-label="Presets">
      {PRESETS.map((preset) => (
        <button
          key={preset.name}
          type="button"
          title={preset.hint}
          aria-pressed={isChosen(preset, cache.value)}
          onClick={() => changeCache(preset.settings)}
        >
          {preset.name}
        </button>
      ))}
    </div>
  );
}

const ABSCISSA_NAMES: Readonly<Record<Abscissa, string>> = {
  flow: 'Flow time, which steps may pass unevenly',
  step: 'Step numbers, as published',
};

const DIFFERENCE_NAMES: Readonly<Record<Differences, string>> = {
  divided: 'Divided: exact for uneven gaps',
  paper: 'Paper: one gap for all, as published',
};

function More() {
  const { basis, abscissa, differences } = cache.value;
  return (
    <details class="more">
      <summary>More</summary>
      <Select
        label="Forecast along"
        names={ABSCISSA_NAMES}
        value={abscissa}
        unused={usesAbscissa(basis) ? undefined : 'Not used by this basis.'}
        onChange={(chosen) => changeCache({ abscissa: chosen })}
      />
      <Select
        label="Differences"
        names={DIFFERENCE_NAMES}
        value={differences}
        unused={usesDifferences(basis) ? undefined : 'Not used by this basis.'}
        onChange={(chosen) => changeCache({ differences: chosen })}
      />
    </details>
  );
}
