import { useRef, useState } from 'preact/hooks';
import type { ModelRecord } from '../../workers/library/api.ts';
import { bytesInWords } from '../../shared/bytes.ts';
import { model, run } from '../state.ts';
import { check, continueImport, prepareToContinue, useStored } from './actions.ts';
import { CheckResult } from './CheckResult.tsx';
import { modelKey } from './choice.ts';
import { DeleteQuestion } from './DeleteQuestion.tsx';
import { ADD_TITLE_ID, focusOn } from './focus.ts';
import { checks, deleting, growing, importing } from './state.ts';
import { UseButton } from './UseButton.tsx';
import { isAddress, lorasOf, settingsInWords } from './words.ts';

/** A model that this browser keeps, whole or in part. */
export function StoredRow({ record }: { readonly record: ModelRecord }) {
  const { id, title, licence, source, date, state, bytes } = record;
  const [asking, setAsking] = useState(false);
  const askButton = useRef<HTMLButtonElement>(null);
  const day = new Date(date).toLocaleDateString('en', { dateStyle: 'medium' });
  const size = state === 'complete' ? bytesInWords(bytes) : `${bytesInWords(bytes)} so far`;
  return (
    <li class={state} aria-label={title}>
      <div class="facts">
        <strong>{title}</strong>
        <p>{[size, settingsInWords(record), day].filter(Boolean).join(' · ')}</p>
        <p class="hint">
          From {source}
          {licence && (
            <>
              <br />
              Licence: {licence}
            </>
          )}
        </p>
        {state === 'partial' && <HowToGoOn record={record} />}
      </div>
      <div class="buttons">
        {state === 'complete' ? (
          <>
            <UseButton modelKey={id} title={title} onUse={() => useStored(id)} />
            <button
              type="button"
              aria-label={`Check ${title}`}
              aria-disabled={isChecked(id)}
              onClick={() => {
                if (!isChecked(id)) void check(record);
              }}
            >
              Check
            </button>
          </>
        ) : (
          <ContinueButton record={record} />
        )}
        <button
          ref={askButton}
          type="button"
          class="quiet"
          aria-label={`Delete ${title}`}
          aria-expanded={asking}
          disabled={deleting.value.has(id) || isNeeded(id)}
          onClick={() => setAsking(!asking)}
        >
          {deleting.value.has(id) ? 'Deleting…' : 'Delete'}
        </button>
      </div>
      {asking && (
        <DeleteQuestion
          record={record}
          onAnswer={() => {
            setAsking(false);
            askButton.current?.focus();
          }}
        />
      )}
      <CheckResult id={id} />
    </li>
  );
}

const isChecked = (id: string) => checks.value.get(id)?.kind === 'running';

/** What is being read or written stays until that is done. */
function isNeeded(id: string): boolean {
  const drawing = modelKey(model.value) === id && run.value !== undefined;
  return drawing || growing.value === id || isChecked(id);
}

/** An import from the web without LoRAs needs nothing that is not known. */
const goesOnAlone = (record: ModelRecord) =>
  isAddress(record.source) && lorasOf(record).length === 0;

function HowToGoOn({ record }: { readonly record: ModelRecord }) {
  if (growing.value === record.id) return <p class="unfinished">Is being added.</p>;
  const loras = lorasOf(record).length > 0 ? ' and LoRAs, with the same strengths' : '';
  const how = goesOnAlone(record)
    ? 'It goes on where it stopped.'
    : `Choose the same files${loras} again, and it goes on where it stopped.`;
  return <p class="unfinished">Not complete. {how}</p>;
}

function ContinueButton({ record }: { readonly record: ModelRecord }) {
  const alone = goesOnAlone(record);
  return (
    <button
      type="button"
      aria-label={`${alone ? 'Continue' : 'Choose again for'} ${record.title}`}
      disabled={importing.value !== undefined}
      onClick={() => {
        if (alone) {
          void continueImport(record);
        } else {
          prepareToContinue(record);
          focusOn(ADD_TITLE_ID);
        }
      }}
    >
      {alone ? 'Continue' : 'Choose again…'}
    </button>
  );
}
