import { keepsSettings } from './storage.ts';

/** Says, where it is so, that the next visit starts fresh. */
export function StorageHint() {
  if (keepsSettings.value) return null;
  return (
    <p class="hint storage-hint">
      Settings are not kept: this browser stores nothing for this page. In a private window, or with
      cookies blocked, every visit starts fresh.
    </p>
  );
}
