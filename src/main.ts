import { h, render } from 'preact';
import { workOffline } from './pwa/register.ts';
import { openPage } from './ui/actions.ts';
import { App } from './ui/App.tsx';
import './ui/styles.css';
import './ui/models/models.css';
import './ui/words/words.css';
import './ui/forced-colors.css';

/** Storage that answers later than this does not keep people from the page. */
const FIRST_FRAME_MS = 500;

// With the settings of the last visit from the first frame on, so that nothing moves.
const opened = openPage(document.location.href);
void Promise.race([opened, new Promise((resolve) => setTimeout(resolve, FIRST_FRAME_MS))]).finally(
  () => render(h(App, null), document.getElementById('app')!),
);
// Where that is not allowed, as in some private windows, the page works online.
void workOffline().catch(() => undefined);
