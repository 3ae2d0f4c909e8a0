/** The field that the prompt is typed into, for what writes into it from elsewhere on the page. */
import { createRef } from 'preact';

export const promptField = createRef<HTMLTextAreaElement>();
