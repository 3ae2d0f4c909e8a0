import { Segments, Select } from '../controls/choices.tsx';
import { changeDraft, startImport } from './actions.ts';
import { FilesField } from './FilesField.tsx';
import { ADD_TITLE_ID } from './focus.ts';
import { ImportOutcome } from './ImportOutcome.tsx';
import { ImportProgress } from './ImportProgress.tsx';
import { LoraFields } from './LoraFields.tsx';
import { draft, importing, outcome } from './state.ts';
import { WebFields } from './WebFields.tsx';
import { QUANTIZATION_NAMES } from './words.ts';

const PLACES = { computer: 'This computer', web: 'The web' } as const;

/** The form for a new model, or how far the import of one is. */
export function AddModel() {
  const { from, quantization } = draft.value;
  return (
    <section class="add" aria-labelledby={ADD_TITLE_ID}>
      <h3 id={ADD_TITLE_ID} tabIndex={-1}>
        Add a model
      </h3>
      {importing.value ? <ImportProgress /> : <ImportOutcome />}
      {!importing.value && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void startImport();
          }}
        >
          <p class="hint">
            Any FLUX.1 checkpoint: its transformer, its autoencoder, both text encoders (CLIP and
            T5) and their tokenizers, as a folder of diffusers or as single .safetensors files. It
            is converted here, in the browser; nothing is sent anywhere. More is in docs/models.md.
          </p>
          <Segments
            label="From"
            names={PLACES}
            value={from}
            onChange={(place) => changeDraft({ from: place })}
          />
          {from === 'computer' ? <FilesField /> : <WebFields />}
          <Select
            label="Store weights in"
            names={QUANTIZATION_NAMES}
            value={quantization}
            onChange={(chosen) => changeDraft({ quantization: chosen })}
          />
          <LoraFields />
          <button type="submit" class="primary">
            {outcome.value && outcome.value.kind !== 'done' ? 'Continue' : 'Add the model'}
          </button>
        </form>
      )}
    </section>
  );
}
