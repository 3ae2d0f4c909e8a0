import { h, render } from 'preact';
import { openPage } from './ui/actions.ts';
import { App } from './ui/App.tsx';
import './ui/styles.css';
import './ui/models/models.css';

render(h(App, null), document.getElementById('app')!);
void openPage(document.location.href);
