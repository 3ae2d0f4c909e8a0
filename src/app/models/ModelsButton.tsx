import { importing, open, outcome, unseen } from './state.ts';

/** Opens the dialog; tells how far an import is while that is closed. */
export function ModelsButton() {
  const news = newsOfImport();
  return (
    <button type="button" class="models-button" onClick={() => (open.value = true)}>
      Models…
      {news && <span class={`news ${news.kind}`}>{news.text}</span>}
    </button>
  );
}

function newsOfImport() {
  if (importing.value) {
    const { doneBytes = 0, totalBytes = 0 } = importing.value.progress ?? {};
    const share = totalBytes > 0 ? `${Math.floor((100 * doneBytes) / totalBytes)} %` : '…';
    return { kind: 'running', text: `adding ${share}` };
  }
  if (!unseen.value || !outcome.value) return undefined;
  return outcome.value.kind === 'done'
    ? { kind: 'done', text: 'added' }
    : { kind: 'failed', text: 'stopped' };
}
