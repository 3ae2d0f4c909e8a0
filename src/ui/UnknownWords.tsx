import { wordList } from './format.ts';
import { run, unknownWords } from './state.ts';

/** Says which words of the prompt the model has never seen. */
export function UnknownWords() {
  const words = unknownWords.value;
  if (words.length === 0) return null;
  return (
    <p class="unknown-words" role="note">
      The model does not know: <strong>{wordList(words)}</strong>.{' '}
      {run.value ? 'It draws the rest.' : 'It drew the rest.'}
    </p>
  );
}
