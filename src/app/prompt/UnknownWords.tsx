import { run, unknownWords } from '../state.ts';
import { UnknownWordsText } from './UnknownWordsText.tsx';

/** Says which words of the picture's prompt the model has never seen. */
export function UnknownWords() {
  const words = unknownWords.value;
  if (words.length === 0) return null;
  return (
    <div class="unknown-words" role="note">
      <UnknownWordsText
        words={words}
        more={run.value ? 'It draws the rest.' : 'It drew the rest.'}
      />
    </div>
  );
}
