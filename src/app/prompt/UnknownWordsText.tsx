import type { UnknownWord } from '../../workers/engine/api.ts';
import { wordList } from '../controls/format.ts';
import { fixable, fixAll, takeSuggestion } from './hints.ts';

interface Props {
  readonly words: readonly UnknownWord[];
  /** What else there is to say about them. */
  readonly more?: string;
}

/** Which words the model does not know, with buttons for known ones where the prompt can be fixed. */
export function UnknownWordsText({ words, more }: Props) {
  const fixes = fixable(words);
  const negations = words.filter(({ negates }) => negates).map(({ word }) => word);
  return (
    <>
      <p>
        The model does not know: <strong>{wordList(words.map(({ word }) => word))}</strong>.
        {more && ` ${more}`}
        {negations.length > 0 && ` What follows ${wordList(negations)} may be drawn all the same.`}
      </p>
      {fixes.map((unknown) => (
        <Suggestions key={unknown.word} unknown={unknown} />
      ))}
      {fixes.length > 1 && (
        <p class="suggestions">
          <button type="button" class="fix-all" onClick={() => fixAll(fixes)}>
            Fix all
          </button>
        </p>
      )}
    </>
  );
}

function Suggestions({ unknown }: { readonly unknown: UnknownWord }) {
  const { word, suggestions } = unknown;
  return (
    <p class="suggestions">
      <span>For {word}, try</span>
      {suggestions.map((suggestion) => (
        <button
          key={suggestion}
          type="button"
          aria-label={`${suggestion}, instead of ${word}`}
          onClick={() => takeSuggestion(unknown, suggestion)}
        >
          {suggestion}
        </button>
      ))}
    </p>
  );
}
