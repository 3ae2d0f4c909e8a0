import { useId } from 'preact/hooks';
import {
  BASES,
  type CacheSettings,
  DIFFERENCES,
  LIMITS,
  PUBLISHED,
  settingsProblems,
} from '../cache/settings.ts';
import { changeCache } from './actions.ts';
import { SliderField } from './fields.tsx';
import { BASIS_NAMES, usesOrder, usesSigma } from './format.ts';
import { cache, run } from './state.ts';

/** How steps are forecast. Every control works while a picture is being made. */
export function CachePanel() {
  const { basis } = cache.value;
  return (
    <section class="card cache" aria-labelledby="cache-title">
      <header>
        <h2 id="cache-title">Feature cache</h2>
        {run.value && <span class="live">live</span>}
      </header>
      <Presets />
      <BasisChoice />
      <div class="sliders">
        <CacheSlider
          name="interval"
          label="Interval"
          hint="One step in so many is computed."
          unused={basis === 'none'}
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
      <details>
        <summary>More</summary>
        <CacheSlider
          name="firstEnhance"
          label="First steps"
          hint="So many are computed before any forecast."
          unused={basis === 'none'}
        />
        <DifferencesChoice />
      </details>
    </section>
  );
}

function Presets() {
  const current = cache.value;
  const published = (Object.keys(PUBLISHED) as (keyof CacheSettings)[]).every(
    (name) => current[name] === PUBLISHED[name],
  );
  return (
    <div class="presets" role="group" aria-label="Presets">
      <button
        type="button"
        aria-pressed={current.basis === 'none'}
        onClick={() => changeCache({ basis: 'none' })}
      >
        Compute every step
      </button>
      <button type="button" aria-pressed={published} onClick={() => changeCache(PUBLISHED)}>
        HiCache as published
      </button>
    </div>
  );
}

function BasisChoice() {
  return (
    <fieldset class="segments">
      <legend>Basis</legend>
      {BASES.map((basis) => (
        <label key={basis}>
          <input
            type="radio"
            name="basis"
            value={basis}
            checked={cache.value.basis === basis}
            onChange={() => changeCache({ basis })}
          />
          <span>{BASIS_NAMES[basis]}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface CacheSliderProps {
  readonly name: keyof typeof LIMITS;
  readonly label: string;
  readonly hint: string;
  readonly step?: number;
  readonly unused: boolean;
}

function CacheSlider({ name, label, hint, step = 1, unused }: CacheSliderProps) {
  const problem = settingsProblems(cache.value).find((text) => text.startsWith(name));
  const { min, max } = LIMITS[name];
  return (
    <SliderField
      label={label}
      hint={hint}
      value={cache.value[name]}
      min={min}
      max={max}
      step={step}
      unused={unused}
      problem={problem && `A ${step === 1 ? 'whole ' : ''}number from ${min} to ${max}.`}
      onChange={(value) => changeCache({ [name]: value })}
    />
  );
}

const DIFFERENCE_NAMES = {
  divided: 'Divided: exact for uneven gaps',
  paper: 'Paper: one gap for all, as published',
} as const;

function DifferencesChoice() {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>Differences</label>
      <select
        id={id}
        value={cache.value.differences}
        onChange={(event) => {
          const differences = DIFFERENCES[event.currentTarget.selectedIndex];
          if (differences) changeCache({ differences });
        }}
      >
        {DIFFERENCES.map((kind) => (
          <option key={kind} value={kind}>
            {DIFFERENCE_NAMES[kind]}
          </option>
        ))}
      </select>
    </div>
  );
}
