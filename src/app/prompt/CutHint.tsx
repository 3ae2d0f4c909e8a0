import { cut, spokenCut } from './hints.ts';

/** Of a very long rest only its beginning and end. */
const SHOWN_CHARACTERS = 200;

/** Where the model stops reading a prompt that is too long for it, and what is lost. */
export function CutHint() {
  const shown = cut.value;
  return (
    <>
      {shown && (
        <div class={shown.isLoss ? 'cut-hint unknown-words' : 'cut-hint read-as'}>
          <p>{shown.text}</p>
          {shown.ignored !== '' && (
            <p class="ignored">
              <span class="visually-hidden">Ignored: </span>
              <s>{abridged(shown.ignored)}</s>
            </p>
          )}
        </div>
      )}
      <p class="visually-hidden" role="status">
        {spokenCut.value}
      </p>
    </>
  );
}

function abridged(text: string): string {
  const characters = Array.from(text);
  if (characters.length <= SHOWN_CHARACTERS) return text;
  const half = SHOWN_CHARACTERS / 2;
  return `${characters.slice(0, half).join('')} … ${characters.slice(-half).join('')}`;
}
