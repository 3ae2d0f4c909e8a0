import { useState } from 'preact/hooks';
import { knownModel } from '../state.ts';
import { ConceptList } from './ConceptList.tsx';

/** What the model can draw, for those who want to look; only where the model tells. */
export function ConceptBrowser() {
  const [open, setOpen] = useState(false);
  if (!knownModel.value?.hasVocabulary) return null;
  return (
    <details
      class="more concepts"
      open={open}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>What can it draw?</summary>
      {open && <ConceptList />}
    </details>
  );
}
