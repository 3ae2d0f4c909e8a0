import type { UnknownWord } from '../../worker/api.ts';
import { wordList } from '../format.ts';
import { prompt } from '../state.ts';
import { mentions } from './edit.ts';
import { takeSuggestion } from './hints.ts';

interface Props {
  readonly words: readonly UnknownWord[];
  /** What else is to be said of them. */
  readonly more?: string;
}

/** Which words the model does not know, with buttons for known ones where the prompt can be mended. */
export function UnknownWordsText({ words, more }: Props) {
  const mendable = words.filter(
    ({ word, suggestions }) => suggestions.length > 0 && mentions(prompt.value, word),
  );
  return (
    <>
      <p>
        The model does not know: <strong>{wordList(words.map(({ word }) => word))}</strong>.
        {more && ` ${more}`}
      </p>
      {mendable.map(({ word, suggestions }) => (
        <p key={word} class="suggestions">
          <span>{words.length === 1 ? 'Did you mean' : `For ${word}, did you mean`}</span>
          {suggestions.map((suggestion, i) => (
            <span key={suggestion}>
              <button
                type="button"
                aria-label={`${suggestion}, instead of ${word}`}
                onClick={() => takeSuggestion(word, suggestion)}
              >
                {suggestion}
              </button>
              {i === suggestions.length - 1 && ' ?'}
            </span>
          ))}
        </p>
      ))}
    </>
  );
}
