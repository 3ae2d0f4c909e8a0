import { useEffect, useRef } from 'preact/hooks';
import { cancel, generate } from './actions.ts';
import { Icon } from './Icon.tsx';
import { info, prompt, run } from './state.ts';

export function PromptForm() {
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const examples = info.value?.model.examples ?? [];

  const take = (example: string) => {
    prompt.value = example;
    field.current?.focus();
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
        ref={field}
        id="prompt"
        rows={2}
        value={prompt.value}
        placeholder={examples[0] ?? 'Describe a picture'}
        onInput={(event) => (prompt.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          // Shift+Enter is a new line; Enter while an input method composes is its own.
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          void generate();
        }}
      />
      {examples.length > 0 && (
        <div class="examples" role="group" aria-label="Example prompts">
          {examples.map((example) => (
            <button key={example} type="button" class="chip" onClick={() => take(example)}>
              {example}
            </button>
          ))}
        </div>
      )}
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
