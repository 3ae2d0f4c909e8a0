import { h, render } from 'preact';
import { workOffline } from './pwa/register.ts';
import { openPage } from './ui/actions.ts';
import { App } from './ui/App.tsx';
import './ui/styles.css';
import './ui/models/models.css';
import './ui/words/words.css';
import './ui/forced-colors.css';

// With the settings of the last visit from the first frame on, so that nothing moves.
await openPage(document.location.href).finally(() =>
  render(h(App, null), document.getElementById('app')!),
);
// Where that is not allowed, as in some private windows, the page works online.
void workOffline().catch(() => undefined);
