import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../controls/Icon.tsx';
import { addFiles, changeDraft, showProblem } from './actions.ts';
import { chooseFolder } from './pick.ts';
import { draft } from './state.ts';
import { sourceInWords } from './words.ts';

const KINDS = '.safetensors,.json,.txt,.model';

/** Files or a folder of this computer, chosen or dropped. */
export function FilesField() {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const { picked } = draft.value;
  useEffect(() => {
    // The types of JSX do not know the attribute.
    if (folder.current) folder.current.webkitdirectory = true;
  }, []);

  const choose = async () => {
    const chosen = await chooseFolder();
    if (chosen === 'unknown') folder.current?.click();
    else if (chosen) changeDraft({ picked: chosen });
  };
  const take = (input: HTMLInputElement) => {
    const chosen = [...(input.files ?? [])];
    // The same files can be chosen again.
    input.value = '';
    try {
      addFiles(chosen);
    } catch (error) {
      showProblem(error);
    }
  };

  return (
    <div class="drop" role="group" aria-label="Files of the model">
      <p>Drop files or a folder here, or</p>
      <div class="buttons">
        <button type="button" onClick={() => files.current?.click()}>
          Choose files…
        </button>
        <button type="button" onClick={() => void choose()}>
          Choose a folder…
        </button>
      </div>
      <p class="picked">{picked ? sourceInWords(picked) : <span class="hint">Nothing yet</span>}</p>
      {picked && (
        <button
          type="button"
          class="square quiet"
          aria-label="Choose none of these"
          onClick={() => changeDraft({ picked: undefined })}
        >
          <Icon name="close" />
        </button>
      )}
      <input
        ref={files}
        type="file"
        name="model-files"
        hidden
        multiple
        accept={KINDS}
        onChange={(event) => take(event.currentTarget)}
      />
      <input
        ref={folder}
        type="file"
        name="model-folder"
        hidden
        onChange={(event) => take(event.currentTarget)}
      />
    </div>
  );
}
