import type { ModelRecord } from '../../worker/library-api.ts';
import { bytesInWords } from '../format.ts';
import { check, continueImport, prepareToContinue, useStored } from './actions.ts';
import { CheckResult } from './CheckResult.tsx';
import { DeleteButton } from './DeleteButton.tsx';
import { checks, growing, importing } from './state.ts';
import { UseButton } from './UseButton.tsx';
import { isAddress, lorasOf, settingsInWords } from './words.ts';

/** A model that this browser keeps, whole or in part. */
export function StoredRow({ record }: { readonly record: ModelRecord }) {
  const { id, title, licence, source, date, state, bytes } = record;
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
              disabled={checks.value.get(id)?.kind === 'running'}
              onClick={() => void check(record)}
            >
              Check
            </button>
          </>
        ) : (
          <ContinueButton record={record} />
        )}
        <DeleteButton record={record} />
      </div>
      <CheckResult id={id} />
    </li>
  );
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
        if (alone) void continueImport(record);
        else prepareToContinue(record);
      }}
    >
      {alone ? 'Continue' : 'Choose again…'}
    </button>
  );
}
