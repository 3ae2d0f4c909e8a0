import { CutHint } from './CutHint.tsx';
import { canUndo, hints, readEmoji, undoReplacement } from './hints.ts';
import { UnknownWordsText } from './UnknownWordsText.tsx';

/** Below the prompt while it is written: what of it the model reads, and what it does not know. */
export function PromptHint() {
  return (
    <>
      <CutHint />
      <div class="prompt-hint" role="status">
        {hints.value.length > 0 && (
          <div class="unknown-words">
            <UnknownWordsText words={hints.value} />
          </div>
        )}
        {readEmoji.value.length > 0 && (
          <p class="read-as">
            Reads {readEmoji.value.map(({ emoji, name }) => `${emoji} as “${name}”`).join(', ')}.
          </p>
        )}
      </div>
      {canUndo.value && (
        <p class="undo">
          <button type="button" class="quiet" onClick={undoReplacement}>
            Undo the replacement
          </button>
        </p>
      )}
    </>
  );
}
