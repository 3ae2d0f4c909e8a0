import { h, render } from 'preact';
import { workOffline } from './app/pwa/register.ts';
import { openPage } from './app/actions.ts';
import { App } from './app/App.tsx';
import './app/styles.css';
import './app/models/models.css';
import './app/prompt/words.css';
import './app/forced-colors.css';

/** Storage that answers later than this does not keep people from the page. */
const FIRST_FRAME_MS = 500;

// With the settings of the last visit from the first frame on, so that nothing moves.
const opened = openPage(document.location.href);
void Promise.race([opened, new Promise((resolve) => setTimeout(resolve, FIRST_FRAME_MS))]).finally(
  () => render(h(App, null), document.getElementById('app')!),
);
// Where that is not allowed, as in some private windows, the page works online.
void workOffline().catch(() => undefined);
