/** Where the focus goes when what had it is no longer there. */
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

export const LIST_TITLE_ID = 'models-list-title';

export const ADD_TITLE_ID = 'add-model-title';

export function focusOn(id: string): void {
  document.getElementById(id)?.focus();
}

/** Gives an element that appears the focus that nothing has, so that keys go on from there. */
export function useFocusIfLost(element: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const dialog = element.current?.closest('dialog');
    const { activeElement } = document;
    if (dialog?.open && (activeElement === document.body || activeElement === dialog)) {
      element.current?.focus();
    }
  }, [element]);
}
