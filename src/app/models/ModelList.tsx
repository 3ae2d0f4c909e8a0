import { BuiltInRow } from './BuiltInRow.tsx';
import { LIST_TITLE_ID } from './focus.ts';
import { StoredRow } from './StoredRow.tsx';
import { library, problem } from './state.ts';
import { spaceInWords } from './words.ts';

/** The models that can be used or gone on with, and the space that they take. */
export function ModelList() {
  const known = library.value;
  return (
    <section aria-labelledby={LIST_TITLE_ID}>
      <h3 id={LIST_TITLE_ID} tabIndex={-1}>
        On this computer
      </h3>
      <ul class="model-list">
        <BuiltInRow />
        {known?.models.map((record) => (
          <StoredRow key={record.id} record={record} />
        ))}
      </ul>
      <p class="hint space">
        {known ? spaceInWords(known.space) : <Unknown failed={problem.value !== undefined} />}
      </p>
    </section>
  );
}

function Unknown({ failed }: { readonly failed: boolean }) {
  return <>{failed ? 'No other models can be kept here.' : 'Looking for stored models…'}</>;
}
