import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../controls/Icon.tsx';
import { opened, takeDrop } from './actions.ts';
import { AddModel } from './AddModel.tsx';
import { MemoryBudget } from './MemoryBudget.tsx';
import { ModelList } from './ModelList.tsx';
import { ProblemAlert } from './ProblemAlert.tsx';
import { announcement, importing, open } from './state.ts';

/** Which models there are, another one to add, and how much memory they may take. */
export function ModelsDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const dragged = useFileDrops();
  useEffect(() => {
    if (!open.value) {
      dialog.current?.close();
      return;
    }
    dialog.current?.showModal();
    opened();
  }, [open.value]);

  return (
    <dialog
      ref={dialog}
      class={dragged ? 'models dragged' : 'models'}
      aria-labelledby="models-title"
      closedby="any"
      onClose={() => (open.value = false)}
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

/**
 * Files may be dropped anywhere: a browser would otherwise leave the page to show them. Tells
 * whether some are over it just now.
 */
function useFileDrops(): boolean {
  const [dragged, setDragged] = useState(false);
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = importing.value ? 'none' : 'copy';
      setDragged(!importing.value);
    };
    const leave = (event: DragEvent) => {
      // Going from one element to another is no leaving.
      if (!event.relatedTarget) setDragged(false);
    };
    const drop = (event: DragEvent) => {
      setDragged(false);
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      if (!importing.value) void takeDrop(event.dataTransfer.items);
    };
    addEventListener('dragover', over);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
    };
  }, []);
  return dragged;
}
