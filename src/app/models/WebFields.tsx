import { useId } from 'preact/hooks';
import { changeDraft } from './actions.ts';
import { draft } from './state.ts';

/** An address, and what opens it. */
export function WebFields() {
  const id = useId();
  const { address, token } = draft.value;
  return (
    <>
      <div class="field">
        <label for={id}>Address</label>
        <input
          id={id}
          class="text"
          type="text"
          inputMode="url"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          placeholder="https://… or ORG/NAME"
          value={address}
          aria-describedby={`${id}-hint`}
          onInput={(event) => changeDraft({ address: event.currentTarget.value })}
        />
        <p class="hint" id={`${id}-hint`}>
          A bundle, a checkpoint's folder, a .safetensors file, or a repository on Hugging Face. A
          bundle is kept as it is.
        </p>
      </div>
      <div class="field">
        <label for={`${id}-token`}>Access token, if the repository needs one</label>
        <input
          id={`${id}-token`}
          class="text"
          type="password"
          autocomplete="off"
          value={token}
          aria-describedby={`${id}-token-hint`}
          onInput={(event) => changeDraft({ token: event.currentTarget.value })}
        />
        <p class="hint" id={`${id}-token-hint`}>
          Sent to Hugging Face only, and kept nowhere.
        </p>
      </div>
    </>
  );
}
