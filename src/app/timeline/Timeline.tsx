import { useSignal } from '@preact/signals';
import { describeCache, duration, percent } from '../controls/format.ts';
import {
  cache,
  plannedCompute,
  records,
  run,
  shownSteps,
  type StepRecord,
  unverified,
  verified,
} from '../state.ts';

/**
 * One bar per step: computed, forecast, or still to come, as planned where that is known. The arrow keys and the
 * pointer choose a step, whose settings and time are shown below.
 */
export function Timeline() {
  const chosen = useSignal<number | undefined>(undefined);
  const steps = shownSteps.value;
  if (steps === 0) return null;
  const newest = records.value.length - 1;
  const current = Math.min(chosen.value ?? Math.max(newest, 0), steps - 1);

  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Record<string, number> = {
      ArrowLeft: current - 1,
      ArrowRight: current + 1,
      Home: 0,
      End: steps - 1,
    };
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    chosen.value = Math.max(0, Math.min(steps - 1, to));
  };

  return (
    <section class="timeline" aria-label="Steps">
      <div
        class={steps > 100 ? 'bars dense' : 'bars'}
        role="listbox"
        aria-orientation="horizontal"
        aria-label={`Timeline: ${summary()}`}
        aria-activedescendant={`step-${current}`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onBlur={() => (chosen.value = undefined)}
        onPointerLeave={() => (chosen.value = undefined)}
      >
        {Array.from({ length: steps }, (_, step) => (
          <Bar
            key={step}
            step={step}
            record={records.value[step]}
            planned={plannedCompute.value?.has(step)}
            changed={settingsChanged(step)}
            chosen={chosen.value === step}
            onChoose={() => (chosen.value = step)}
          />
        ))}
      </div>
      <div class="legend">
        <span class="key computed">computed</span>
        <span class="key forecast">forecast</span>
        {newest < steps - 1 && <span class="key to-come">to come</span>}
        {records.value.some(({ step }) => settingsChanged(step)) && (
          <span class="key changed">settings changed</span>
        )}
        <span class="reading">
          {chosen.value === undefined ? summary() : describeStep(current)}
        </span>
      </div>
    </section>
  );
}

interface BarProps {
  readonly step: number;
  readonly record: StepRecord | undefined;
  /** Undefined if nobody knows yet. */
  readonly planned: boolean | undefined;
  readonly changed: boolean;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

function Bar({ step, record, planned, changed, chosen, onChoose }: BarProps) {
  const computed = record?.computed ?? planned;
  const classes = [
    'bar',
    computed === undefined ? 'open' : computed ? 'computed' : 'forecast',
    record ? 'done' : 'to-come',
    changed && 'changed',
    chosen && 'chosen',
  ];
  const text = describeStep(step);
  return (
    <div
      id={`step-${step}`}
      class={classes.filter(Boolean).join(' ')}
      role="option"
      aria-selected={chosen}
      aria-label={text}
      title={text}
      onPointerEnter={onChoose}
    />
  );
}

/** Whether this step was the first one under other settings than the step before. */
function settingsChanged(step: number): boolean {
  const [before, here] = [records.value[step - 1], records.value[step]];
  return !!before && !!here && describeCache(before.cache) !== describeCache(here.cache);
}

function describeStep(step: number): string {
  const record = records.value[step];
  const name = `Step ${step + 1}`;
  if (!record) {
    const planned = plannedCompute.value;
    if (!planned) return `${name}: decided on the way`;
    return `${name}: will be ${planned.has(step) ? 'computed' : 'forecast'}`;
  }
  const kind = record.computed ? 'computed' : 'forecast';
  const text = `${name}: ${kind} in ${duration(record.seconds)}; ${describeCache(record.cache)}`;
  if (unverified.value.has(step)) return `${text}; not verified`;
  const served = verified.value.get(step)?.served;
  return served ? `${text}; a forecast of it was off by ${percent(served.error)}` : text;
}

function summary(): string {
  const total = shownSteps.value;
  const done = records.value.length;
  const computed = records.value.filter((record) => record.computed).length;
  if (!run.value && done === 0) return expectation(total);
  if (done < total) return `${done} of ${total} steps, ${computed} computed`;
  return `${computed} of ${total} computed`;
}

/** How many steps will be computed, as far as is known before the run. */
function expectation(total: number): string {
  if (plannedCompute.value) return `${plannedCompute.value.size} of ${total} to be computed`;
  const { schedule, budget, tolerance } = cache.value;
  if (schedule === 'budget' && budget > 0) {
    return `up to ${Math.min(budget, total)} of ${total} to be computed`;
  }
  if (schedule === 'tolerance' && tolerance >= 0) {
    return `as few of ${total} computed as the tolerance allows`;
  }
  return `${total} steps`;
}
