/** The page's side of the service worker: starts it, and tells of new versions. */
import { effect } from '@preact/signals';
import * as state from '../state.ts';
import { TAKE_OVER } from './cache.ts';
import { keepRuntime } from './runtimes.ts';

/**
 * Lets the page work offline from the next visit on. It begins when the engine has started or
 * failed, so that a first visit waits for nothing that it does not need.
 */
export async function workOffline(): Promise<void> {
  // Only a built page has a service worker, and only secure addresses may.
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  await until(() => state.engine.value.kind !== 'loading');
  const registration = await navigator.serviceWorker.register('service-worker.js');
  const isFirst = !registration.active;
  watchVersions(registration);

  await navigator.serviceWorker.ready;
  await until(() => state.info.value !== undefined);
  const { kind } = state.info.value!.backend;
  await keepRuntime(kind);
  effect(() => {
    // Not every browser lets a page keep that much; it then works online as before.
    if (state.info.value) keepRuntime(state.info.value.backend.kind).catch(() => undefined);
  });
  if (!isFirst) return;
  state.announcement.value = 'This page works offline from now on.';
  if (kind === 'cpu' && gainsThreads()) await tell(FASTER);
}

function watchVersions(registration: ServiceWorkerRegistration): void {
  const look = () => {
    // Without an active one, the first one is just being installed.
    if (registration.waiting && registration.active) void tell(newVersion(registration));
  };
  look();
  registration.addEventListener('updatefound', () =>
    registration.installing?.addEventListener('statechange', look),
  );
}

/** Shows news when no picture is made and no failure is on show. */
async function tell(news: state.Notice): Promise<void> {
  const { engine, notice, run } = state;
  await until(() => engine.value.kind !== 'loading' && !notice.value && !run.value);
  notice.value = news;
}

/**
 * Whether wasm gets threads by a reload. They need an isolated page, which the service worker makes
 * where the host does not, a second core, and an engine with shared memory. Pages that are not isolated
 * do not see SharedArrayBuffer; wasm's memory shows whether there is one.
 */
function gainsThreads(): boolean {
  if (globalThis.crossOriginIsolated || !(navigator.hardwareConcurrency > 1)) return false;
  try {
    const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    return Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]';
  } catch {
    return false;
  }
}

const FASTER: state.Notice = {
  report: {
    message: 'Pictures are made faster after a reload.',
    hint: 'From then on this page may use more than one core of your processor.',
  },
  actions: [{ label: 'Reload', run: () => location.reload() }],
};

function newVersion(registration: ServiceWorkerRegistration): state.Notice {
  return {
    report: {
      message: 'A new version is ready.',
      hint: 'Reload to use it. The picture on show is lost; models stay.',
    },
    actions: [{ label: 'Reload', run: () => reload(registration) }],
  };
}

function reload({ waiting }: ServiceWorkerRegistration): void {
  // Another tab may have let it in already.
  if (!waiting) return location.reload();
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload());
  waiting.postMessage(TAKE_OVER);
}

/** @param holds reads signals */
function until(holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = effect(() => {
      if (!holds()) return;
      resolve();
      queueMicrotask(() => stop());
    });
  });
}
