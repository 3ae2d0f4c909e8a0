import { hints } from './hints.ts';
import { UnknownWordsText } from './UnknownWordsText.tsx';

/** Speaks up under the prompt while it is written. */
export function PromptHint() {
  return (
    <div class="prompt-hint" role="status">
      {hints.value.length > 0 && (
        <div class="unknown-words">
          <UnknownWordsText words={hints.value} />
        </div>
      )}
    </div>
  );
}
