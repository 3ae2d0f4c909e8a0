import { useEffect, useState } from 'preact/hooks';
import { Segments } from '../controls/choices.tsx';
import { SliderField } from '../controls/fields.tsx';
import { setMemoryBudget } from '../loading.ts';
import { engine, memoryBudget, run } from '../state.ts';
import { budgetProblem, GB, MEMORY_GB } from './budget.ts';
import { MemoryPlan } from './MemoryPlan.tsx';

const KINDS = { auto: 'Automatic', limit: 'A limit' } as const;

/** How much memory the model may take, and what that means for it. */
export function MemoryBudget() {
  const [kind, setKind] = useState<keyof typeof KINDS>('auto');
  const [gigabytes, setGigabytes] = useState(8);
  useEffect(() => {
    setKind(memoryBudget.value === undefined ? 'auto' : 'limit');
    if (memoryBudget.value !== undefined) setGigabytes(memoryBudget.value / GB);
  }, [memoryBudget.value]);
  const wanted = kind === 'auto' ? undefined : gigabytes * GB;
  const problem = budgetProblem(wanted);
  const idle = engine.value.kind !== 'loading' && run.value === undefined;
  const changed = wanted !== memoryBudget.value;
  return (
    <section class="memory" aria-labelledby="memory-title">
      <h3 id="memory-title">Memory for the model</h3>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (idle && changed && !problem) setMemoryBudget(wanted);
        }}
      >
        <Segments label="How much" names={KINDS} value={kind} onChange={setKind} />
        {kind === 'limit' && (
          <SliderField
            label="Limit in GB"
            hint="With less, parts of the model are loaded again and again."
            {...MEMORY_GB}
            step={0.1}
            logarithmic
            value={gigabytes}
            problem={problem}
            onChange={setGigabytes}
          />
        )}
        <button type="submit" aria-disabled={!idle || !changed || problem !== undefined}>
          {engine.value.kind === 'loading' ? 'Loading…' : 'Apply and load the model again'}
        </button>
      </form>
      <MemoryPlan />
    </section>
  );
}
