import { useEffect, useRef } from 'preact/hooks';
import { roughDuration } from '../controls/format.ts';
import { cancelImport } from './actions.ts';
import { useFocusIfLost } from './focus.ts';
import { importing } from './state.ts';
import { progressInWords, sourceName } from './words.ts';

/** How far the running import is. */
export function ImportProgress() {
  const panel = useRef<HTMLDivElement>(null);
  useFocusIfLost(panel);
  useEffect(() => panel.current?.scrollIntoView({ block: 'nearest' }), []);
  const current = importing.value;
  if (!current) return null;
  const { source, progress, cancelling } = current;
  const known = progress !== undefined && progress.totalBytes > 0;
  return (
    <div ref={panel} class="importing" tabIndex={-1}>
      <p class="from">{sourceName(source)}</p>
      <progress
        aria-label="Adding the model"
        value={known ? progress.doneBytes : undefined}
        max={known ? progress.totalBytes : 1}
      />
      <div class="figures">
        <span>{progress?.what ?? 'Reading what there is'}</span>
        <span>{known && progressInWords(progress)}</span>
        <span class="left">
          {known && progress.secondsLeft !== null && `${roughDuration(progress.secondsLeft)} left`}
        </span>
      </div>
      <div class="end">
        <p class="hint">It goes on while this window is closed. You can make pictures meanwhile.</p>
        <button type="button" disabled={cancelling} onClick={() => void cancelImport()}>
          {cancelling ? 'Stopping…' : 'Cancel'}
        </button>
      </div>
    </div>
  );
}
