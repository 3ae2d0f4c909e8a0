import { useRef } from 'preact/hooks';
import { NumberField } from '../controls/fields.tsx';
import { Icon } from '../controls/Icon.tsx';
import { changeDraft } from './actions.ts';
import { LORA_STRENGTH, strengthProblem } from './lora.ts';
import { draft } from './state.ts';

/** LoRA files that are merged into the weights, each with its strength. */
export function LoraFields() {
  const input = useRef<HTMLInputElement>(null);
  const { loras } = draft.value;
  const problem = loras.map(({ strength }) => strengthProblem(strength)).find(Boolean);

  const add = (chosen: readonly File[]) => {
    const others = loras.filter(({ file }) => chosen.every(({ name }) => name !== file.name));
    changeDraft({ loras: [...others, ...chosen.map((file) => ({ file, strength: 1 }))] });
  };
  const change = (file: File, strength: number) =>
    changeDraft({
      loras: loras.map((lora) => (lora.file === file ? { file, strength } : lora)),
    });
  const drop = (file: File) => changeDraft({ loras: loras.filter((lora) => lora.file !== file) });

  return (
    <div class="loras" role="group" aria-label="LoRAs">
      {loras.map(({ file, strength }) => (
        <div class="lora" key={file.name}>
          <span class="name">{file.name}</span>
          <NumberField
            label={`Strength of ${file.name}`}
            value={strength}
            {...LORA_STRENGTH}
            problem={strengthProblem(strength)}
            describedBy="lora-problem"
            onChange={(value) => change(file, value)}
          />
          <button
            type="button"
            class="square quiet"
            aria-label={`Without ${file.name}`}
            onClick={() => drop(file)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      {problem && (
        <p class="problem" id="lora-problem">
          {problem}
        </p>
      )}
      <div class="add-lora">
        <button type="button" onClick={() => input.current?.click()}>
          Add a LoRA…
        </button>
        <p class="hint">Optional; merged into the model for good.</p>
      </div>
      <input
        ref={input}
        type="file"
        name="lora-files"
        hidden
        multiple
        accept=".safetensors"
        onChange={(event) => {
          add([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = '';
        }}
      />
    </div>
  );
}
