import { useEffect, useRef, useState } from 'preact/hooks';
import type { ModelRecord } from '../../worker/library-api.ts';
import { bytesInWords } from '../format.ts';
import { model, run } from '../state.ts';
import { remove } from './actions.ts';
import { BUILT_IN_TITLE, modelKey } from './choice.ts';
import { focusList } from './focus.ts';
import { checks, deleting, growing } from './state.ts';

/** Asks in its own place before it deletes. */
export function DeleteButton({ record }: { readonly record: ModelRecord }) {
  const [asking, setAsking] = useState(false);
  const keep = useRef<HTMLButtonElement>(null);
  const ask = useRef<HTMLButtonElement>(null);
  const asked = useRef(false);
  useEffect(() => {
    if (asking) keep.current?.focus();
    else if (asked.current) ask.current?.focus();
    asked.current = asking;
  }, [asking]);

  const { id, title, bytes } = record;
  if (deleting.value.has(id)) return <span class="hint">Deleting…</span>;
  const inUse = modelKey(model.value) === id;
  const needed =
    (inUse && run.value !== undefined) ||
    growing.value === id ||
    checks.value.get(id)?.kind === 'running';
  if (!asking) {
    return (
      <button
        ref={ask}
        type="button"
        class="quiet"
        aria-label={`Delete ${title}`}
        disabled={needed}
        onClick={() => setAsking(true)}
      >
        Delete
      </button>
    );
  }
  return (
    <div
      class="asking"
      role="group"
      aria-label={`Delete ${title}?`}
      onKeyDown={(event) => {
        // Escape takes back the question, not the whole dialog.
        if (event.key !== 'Escape') return;
        event.preventDefault();
        event.stopPropagation();
        setAsking(false);
      }}
    >
      <p>
        Frees {bytesInWords(bytes)}.{inUse && ` ${BUILT_IN_TITLE} is used instead.`}
      </p>
      <button
        type="button"
        class="danger"
        aria-label={`Delete ${title} now`}
        onClick={() => void remove(record).then(focusList)}
      >
        Delete
      </button>
      <button ref={keep} type="button" onClick={() => setAsking(false)}>
        Keep
      </button>
    </div>
  );
}
