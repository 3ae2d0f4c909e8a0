import { useId } from 'preact/hooks';
import { GUIDANCE, STEPS } from '../../shared/limits.ts';
import { drawSeed, reuseSeed } from '../actions.ts';
import { Select } from '../controls/choices.tsx';
import { NumberField, SliderField, TextField } from '../controls/fields.tsx';
import { SAMPLER_NAMES } from '../controls/format.ts';
import { Icon } from '../controls/Icon.tsx';
import {
  finished,
  guidance,
  knownModel,
  randomSeed,
  sampler,
  seed,
  sizeIndex,
  steps,
} from '../state.ts';
import { guidanceProblem, seedNote, seedProblem, stepsProblem } from '../validate.ts';

const SEED_PROBLEM = 'seed-problem';
const SEED_NOTE = 'seed-note';

/** What holds for a whole picture: steps, size, sampler, seed. */
export function PictureSettings() {
  return (
    <section class="card picture-settings" aria-label="Picture">
      <h2>Picture</h2>
      <div class="row">
        <NumberField
          label="Steps"
          value={steps.value}
          {...STEPS}
          problem={stepsProblem(steps.value)}
          describedBy="steps-problem"
          onChange={(value) => (steps.value = value)}
        />
        <SizeField />
        <Select
          label="Sampler"
          names={SAMPLER_NAMES}
          value={sampler.value}
          onChange={(chosen) => (sampler.value = chosen)}
        />
        <SeedField />
      </div>
      <Note kind="problem" id="steps-problem" text={stepsProblem(steps.value)} />
      <Note
        kind="problem"
        id={SEED_PROBLEM}
        text={randomSeed.value ? undefined : seedProblem(seed.value)}
      />
      <Note id={SEED_NOTE} text={randomSeed.value ? undefined : seedNote(seed.value)} />
      <NewSeedCheck />
      <GuidanceField />
    </section>
  );
}

interface NoteProps {
  readonly id: string;
  readonly text: string | undefined;
  readonly kind?: 'hint' | 'problem';
}

function Note({ id, text, kind = 'hint' }: NoteProps) {
  return text ? (
    <p class={kind} id={id}>
      {text}
    </p>
  ) : null;
}

function SizeField() {
  const id = useId();
  const sizes = knownModel.value?.sizes ?? [];
  return (
    <div class="field">
      <label for={id}>Size</label>
      <select
        id={id}
        value={sizes.length === 0 ? 0 : sizeIndex.value}
        disabled={sizes.length === 0}
        onChange={(event) => (sizeIndex.value = event.currentTarget.selectedIndex)}
      >
        {sizes.length === 0 && <option value={0}>…</option>}
        {sizes.map(({ width, height }, index) => (
          <option key={index} value={index}>
            {width} × {height}
          </option>
        ))}
      </select>
    </div>
  );
}

/** How closely the picture keeps to the prompt, for models that were taught to be told. */
function GuidanceField() {
  const usual = knownModel.value?.defaultGuidance ?? null;
  if (usual === null) return null;
  return (
    <SliderField
      label="Guidance"
      hint={`How closely to keep to the prompt; ${usual} is usual for this model.`}
      value={guidance.value}
      min={1}
      max={10}
      least={GUIDANCE.min}
      most={GUIDANCE.max}
      step={0.1}
      problem={guidanceProblem(guidance.value)}
      onChange={(value) => (guidance.value = value)}
    />
  );
}

function SeedField() {
  const random = randomSeed.value;
  const last = finished.value?.request.seed;
  return (
    <div class="seed">
      <TextField
        label="Seed"
        value={seed.value}
        disabled={random}
        problem={random ? undefined : seedProblem(seed.value)}
        describedBy={`${SEED_PROBLEM} ${SEED_NOTE}`}
        onChange={(value) => (seed.value = value)}
      />
      <button
        type="button"
        class="square"
        aria-label="Draw another seed"
        disabled={random}
        onClick={drawSeed}
      >
        <Icon name="dice" />
      </button>
      <button
        type="button"
        class="square"
        aria-label="Keep the seed of this picture"
        title={last === undefined ? undefined : `Keep ${last}, the seed of this picture`}
        disabled={last === undefined}
        onClick={reuseSeed}
      >
        <Icon name="again" />
      </button>
    </div>
  );
}

function NewSeedCheck() {
  const id = useId();
  return (
    <label class="check" for={id}>
      <input
        id={id}
        type="checkbox"
        checked={randomSeed.value}
        onChange={(event) => (randomSeed.value = event.currentTarget.checked)}
      />
      A new seed for every picture
    </label>
  );
}
