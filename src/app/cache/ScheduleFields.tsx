import type { Schedule } from '../../forecast/settings.ts';
import { changeCache } from '../actions.ts';
import { CacheSlider, problemOf } from './CacheSlider.tsx';
import { Segments } from '../controls/choices.tsx';
import { SliderField } from '../controls/fields.tsx';
import { cache, records, run, steps } from '../state.ts';
import { stepsProblem } from '../validate.ts';

const SCHEDULE_NAMES: Readonly<Record<Schedule, string>> = {
  tolerance: 'Error',
  budget: 'Budget',
  interval: 'Every n-th',
};

/** Where the budget's slider ends: more computed steps hardly change a picture. */
const MOST_BUDGET = 30;

/** In percent. */
const TOLERANCE = { min: 0.2, max: 20 } as const;

function mostBudget(): number {
  const next = stepsProblem(steps.value) ? MOST_BUDGET : steps.value;
  return Math.min(run.value?.steps ?? next, MOST_BUDGET);
}

/** Where a run that was under way before its budget was set needs more than that. */
function spentBudget(): string | undefined {
  const newest = records.value.at(-1);
  if (!run.value || newest?.cache.schedule !== 'budget' || newest.cache.basis === 'none') return;
  const done = records.value.filter(({ computed }) => computed).length;
  const all = done + newest.planned.length;
  if (all <= newest.cache.budget) return;
  return `computed steps. This picture takes ${all}, of which ${done} are computed already.`;
}

/** What decides which steps are computed, with the controls of that way only. */
export function ScheduleFields() {
  const { basis, schedule } = cache.value;
  const unused = basis === 'none';
  return (
    <div class="group">
      <Segments
        label="Compute steps by"
        names={SCHEDULE_NAMES}
        value={schedule}
        onChange={(chosen) => changeCache({ schedule: chosen })}
      />
      {schedule === 'interval' && (
        <>
          <CacheSlider
            name="interval"
            label="Interval"
            hint="One step in so many is computed."
            unused={unused}
          />
          <CacheSlider
            name="firstEnhance"
            label="First steps"
            hint="So many are computed before any forecast."
            unused={unused}
          />
        </>
      )}
      {schedule === 'budget' && (
        <CacheSlider
          name="budget"
          label="At most"
          hint={spentBudget() ?? 'computed steps, placed where the predicted error is least.'}
          max={mostBudget()}
          unused={unused}
        />
      )}
      {schedule === 'tolerance' && <ToleranceSlider unused={unused} />}
    </div>
  );
}

function ToleranceSlider({ unused }: { readonly unused: boolean }) {
  const percent = Number((100 * cache.value.tolerance).toPrecision(3));
  return (
    <SliderField
      label="Tolerance"
      hint="Percent. As few steps are computed as keep the predicted error under it."
      value={percent}
      {...TOLERANCE}
      most={100}
      step={0.1}
      logarithmic
      unused={unused}
      problem={problemOf('tolerance') && 'A number from 0, in percent.'}
      onChange={(value) => changeCache({ tolerance: value / 100 })}
    />
  );
}
