import { useEffect } from 'preact/hooks';
import { cancel, generate } from '../actions.ts';
import { isComposing } from '../controls/escape.ts';
import { Icon } from '../controls/Icon.tsx';
import { promptField } from './prompt-field.ts';
import { knownModel, prompt, run } from '../state.ts';
import { ConceptBrowser } from './ConceptBrowser.tsx';
import { PromptHint } from './PromptHint.tsx';

export function PromptForm() {
  useEffect(() => promptField.current?.focus(), []);
  const examples = knownModel.value?.examples ?? [];

  const take = (example: string) => {
    prompt.value = example;
    promptField.current?.focus();
  };

  return (
    <form
      class="prompt card"
      onSubmit={(event) => {
        event.preventDefault();
        void generate();
      }}
    >
      <label for="prompt">What should the picture show?</label>
      <textarea
        ref={promptField}
        id="prompt"
        rows={2}
        value={prompt.value}
        placeholder={examples[0] ?? 'Describe a picture'}
        onInput={(event) => (prompt.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          // Shift+Enter is a new line; Enter while an input method composes is its own.
          if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
          event.preventDefault();
          void generate();
        }}
      />
      <PromptHint />
      {examples.length > 0 && (
        <div class="examples" role="group" aria-label="Example prompts">
          {examples.map((example) => (
            <button key={example} type="button" class="chip" onClick={() => take(example)}>
              {example}
            </button>
          ))}
        </div>
      )}
      <ConceptBrowser />
      <div class="actions">
        {/* One stays focusable while the other acts, so that keyboard focus is never lost. */}
        <button type="submit" class="primary" aria-disabled={run.value !== undefined}>
          <Icon name="spark" />
          Generate
        </button>
        <button type="button" disabled={!run.value || run.value.cancelling} onClick={cancel}>
          {run.value?.cancelling ? 'Cancelling…' : 'Cancel'} <kbd>Esc</kbd>
        </button>
      </div>
    </form>
  );
}
