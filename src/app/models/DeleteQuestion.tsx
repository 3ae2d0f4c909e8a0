import { useEffect, useRef } from 'preact/hooks';
import type { ModelRecord } from '../../workers/library/api.ts';
import { bytesInWords } from '../../shared/bytes.ts';
import { model } from '../state.ts';
import { remove } from './actions.ts';
import { BUILT_IN_TITLE, modelKey } from './choice.ts';
import { focusOn, LIST_TITLE_ID } from './focus.ts';

interface Props {
  readonly record: ModelRecord;
  readonly onAnswer: () => void;
}

/** Asks before a model is deleted. */
export function DeleteQuestion({ record, onAnswer }: Props) {
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => keep.current?.focus(), []);
  const { id, title, bytes } = record;
  const inUse = modelKey(model.value) === id;
  return (
    <div
      class="asking"
      role="group"
      aria-label={`Delete ${title}?`}
      onKeyDown={(event) => {
        // Escape takes back the question, and leaves the dialog open.
        if (event.key !== 'Escape') return;
        event.preventDefault();
        event.stopPropagation();
        onAnswer();
      }}
    >
      <p>
        Delete it and free {bytesInWords(bytes)}?
        {inUse && ` ${BUILT_IN_TITLE} will be used instead.`}
      </p>
      <button
        type="button"
        class="danger"
        aria-label={`Delete ${title} now`}
        onClick={() => {
          onAnswer();
          void remove(record).then(() => focusOn(LIST_TITLE_ID));
        }}
      >
        Delete
      </button>
      <button ref={keep} type="button" onClick={onAnswer}>
        Keep
      </button>
    </div>
  );
}
