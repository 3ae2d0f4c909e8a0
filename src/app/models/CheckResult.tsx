import { bytesOfBytes, wordList } from '../controls/format.ts';
import { checks } from './state.ts';

/** How far a check is, or what it found. */
export function CheckResult({ id }: { readonly id: string }) {
  const check = checks.value.get(id);
  if (!check) return null;
  if (check.kind === 'running') {
    const { doneBytes = 0, totalBytes = 0 } = check.progress ?? {};
    return (
      <div class="check-result">
        <progress
          aria-label="Checking"
          value={totalBytes > 0 ? doneBytes : undefined}
          max={totalBytes || 1}
        />
        <p class="hint">
          {totalBytes > 0
            ? `Checking: ${bytesOfBytes(doneBytes, totalBytes)}`
            : 'Checking every file'}
        </p>
      </div>
    );
  }
  if (check.damaged.length === 0) {
    return <p class="check-result good">Every file is as it was stored.</p>;
  }
  return (
    <p class="check-result problem">
      Damaged: {wordList(check.damaged)}. Delete the model and add it again.
    </p>
  );
}
