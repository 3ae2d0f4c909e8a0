import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../Icon.tsx';
import { changeDraft, opened, showProblem } from './actions.ts';
import { AddModel } from './AddModel.tsx';
import { MemoryBudget } from './MemoryBudget.tsx';
import { ModelList } from './ModelList.tsx';
import { droppedSource } from './pick.ts';
import { ProblemAlert } from './ProblemAlert.tsx';
import { announcement, importing, open } from './state.ts';

/** Which models there are, another one to add, and how much memory they may take. */
export function ModelsDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [dragged, setDragged] = useState(false);
  useEffect(() => {
    if (!open.value) {
      dialog.current?.close();
      return;
    }
    dialog.current?.showModal();
    opened();
  }, [open.value]);

  const drop = async (event: DragEvent) => {
    event.preventDefault();
    setDragged(false);
    if (importing.value || !event.dataTransfer) return;
    try {
      changeDraft({ from: 'computer', picked: await droppedSource(event.dataTransfer.items) });
    } catch (error) {
      showProblem(error);
    }
  };

  return (
    <dialog
      ref={dialog}
      class={dragged ? 'models dragged' : 'models'}
      aria-labelledby="models-title"
      closedby="any"
      onClose={() => (open.value = false)}
      onDragOver={(event) => {
        event.preventDefault();
        if (event.dataTransfer) event.dataTransfer.dropEffect = importing.value ? 'none' : 'copy';
        setDragged(!importing.value);
      }}
      onDragLeave={(event) => {
        // Going from one element of the dialog to another is no leaving.
        if (!dialog.current?.contains(event.relatedTarget as Node | null)) setDragged(false);
      }}
      onDrop={(event) => void drop(event)}
    >
      <header>
        <h2 id="models-title">Models</h2>
        <button
          type="button"
          class="square quiet"
          aria-label="Close"
          onClick={() => (open.value = false)}
        >
          <Icon name="close" />
        </button>
      </header>
      <div class="body">
        <ProblemAlert />
        <ModelList />
        <AddModel />
        <MemoryBudget />
      </div>
      <p class="visually-hidden" role="status">
        {open.value && announcement.value}
      </p>
    </dialog>
  );
}
