import { bytesOfBytes, roughDuration } from '../controls/format.ts';
import { records, run } from '../state.ts';

/** How far the running picture is. */
export function Progress() {
  if (!run.value) return null;
  const { phase, steps, loading } = run.value;
  const last = records.value.at(-1);
  const done = records.value.length;
  const texts = {
    waiting: 'Starts as soon as the model is loaded',
    text: 'Reading the prompt',
    denoising: last ? `Step ${done} of ${steps}` : 'First step',
    decoding: 'Turning it into a picture',
  };
  return (
    <div class="progress">
      <progress aria-label="Picture" value={phase === 'waiting' ? undefined : done} max={steps} />
      <span>
        {loading
          ? `Loading the ${loading.component}: ${bytesOfBytes(loading.loadedBytes, loading.bytes)}`
          : texts[phase]}
      </span>
      {phase === 'denoising' && last && (
        <span class="left">{roughDuration(last.secondsLeft)} left</span>
      )}
    </div>
  );
}
