/** Lets a `<details>` behave as a popover does. */
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';
import { isComposing } from './escape.ts';

/** Closes it with Escape, and when something else is clicked or gets the focus. */
export function useLightDismiss(details: RefObject<HTMLDetailsElement | null>): void {
  useEffect(() => {
    const closeFor = ({ target }: Event) => {
      const element = details.current;
      if (element?.open && !(target instanceof Node && element.contains(target))) {
        element.open = false;
      }
    };
    const onKeyDown = (event: KeyboardEvent) => {
      const element = details.current;
      if (!element?.open || event.key !== 'Escape' || isComposing(event)) return;
      // The key is used up: a run goes on.
      event.preventDefault();
      element.open = false;
      if (element.contains(document.activeElement)) element.querySelector('summary')?.focus();
    };
    document.addEventListener('pointerdown', closeFor);
    document.addEventListener('focusin', closeFor);
    // Before the page's own handler.
    document.addEventListener('keydown', onKeyDown, { capture: true });
    return () => {
      document.removeEventListener('pointerdown', closeFor);
      document.removeEventListener('focusin', closeFor);
      document.removeEventListener('keydown', onKeyDown, { capture: true });
    };
  }, [details]);
}
