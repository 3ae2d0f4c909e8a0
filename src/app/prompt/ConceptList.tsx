import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { reportOf } from '../../shared/errors.ts';
import { isComposing } from '../controls/escape.ts';
import { info, notice } from '../state.ts';
import { insertName, readConcepts } from './concepts.ts';
import { type Concepts, namesMatching } from './find.ts';

/** Names to search and to click. Arrow keys go through them: there may be more than a thousand. */
export function ConceptList() {
  const concepts = useConcepts();
  const [text, setText] = useState('');
  const list = useRef<HTMLUListElement>(null);
  const label = useId();
  const names = namesMatching(concepts, text);

  const onSearchKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !isComposing(event)) {
      // The form around it would make a picture.
      event.preventDefault();
      if (text.trim() !== '' && names[0] !== undefined) insertName(names[0]);
    }
    if (event.key === 'ArrowDown') moveFocus(event, list.current, 'first');
  };

  return (
    <>
      <div class="search">
        <input
          type="search"
          aria-label="Search the things that it can draw"
          placeholder="Search"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={onSearchKey}
        />
        <span id={label} role="status">
          {names.length === concepts.length
            ? `${names.length} things`
            : `${names.length} of ${concepts.length} things`}
        </span>
      </div>
      <ul
        ref={list}
        aria-label="Things that it can draw"
        onKeyDown={(event) => {
          const to = MOVES[event.key];
          if (to) moveFocus(event, list.current, to);
        }}
      >
        {names.map((name, i) => (
          <li key={name}>
            <button
              type="button"
              class="chip"
              tabIndex={i === 0 ? 0 : -1}
              onClick={() => insertName(name)}
            >
              {name}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

/** None until they are there. */
function useConcepts(): Concepts {
  const [concepts, setConcepts] = useState<Concepts>([]);
  useEffect(() => {
    let wanted = true;
    readConcepts().then(
      (read) => wanted && setConcepts(read),
      (error: unknown) => wanted && (notice.value = { report: reportOf(error) }),
    );
    return () => {
      wanted = false;
    };
  }, [info.value]);
  return concepts;
}

type Move = 'next' | 'previous' | 'first' | 'last';

const MOVES: Readonly<Record<string, Move>> = {
  ArrowRight: 'next',
  ArrowDown: 'next',
  ArrowLeft: 'previous',
  ArrowUp: 'previous',
  Home: 'first',
  End: 'last',
};

function moveFocus(event: KeyboardEvent, list: HTMLElement | null, to: Move): void {
  const buttons = [...(list?.querySelectorAll('button') ?? [])];
  const now = buttons.findIndex((button) => button === document.activeElement);
  const index = { next: now + 1, previous: now - 1, first: 0, last: buttons.length - 1 }[to];
  event.preventDefault();
  buttons[index]?.focus();
}
