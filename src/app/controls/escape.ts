/** What the Escape key is for, where several things could use it. */

/** Whether an input method takes the key. Safari ends the composition before the key is sent. */
export function isComposing({ isComposing, keyCode }: KeyboardEvent): boolean {
  return isComposing || keyCode === COMPOSING_KEY;
}

const COMPOSING_KEY = 229;

/** The prompt and the result belong to the run; so does a page where nothing has the focus. */
const OF_THE_RUN = '.prompt, .stage';
/** Here Escape takes back what was typed, or closes the list. */
const WITH_OWN_USE = 'input, select';

/** Whether Escape cancels the run, and is not meant for something else that has the focus. */
export function cancelsRun(event: KeyboardEvent): boolean {
  if (event.key !== 'Escape' || event.defaultPrevented || isComposing(event)) return false;
  if (document.querySelector('dialog[open]')) return false;
  const { target } = event;
  if (!(target instanceof Element) || target.matches('html, body')) return true;
  return target.closest(OF_THE_RUN) !== null && !target.matches(WITH_OWN_USE);
}
