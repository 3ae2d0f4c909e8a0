/** What people can do with models. The only code that talks to the worker that keeps them. */
import { batch } from '@preact/signals';
import { AppError, reportOf } from '../../shared/errors.ts';
import type {
  ImportLora,
  ImportSource,
  LibraryApi,
  ModelRecord,
} from '../../workers/library/api.ts';
import { startLibrary } from '../../workers/library/client.ts';
import { loadModel } from '../loading.ts';
import { announcement, model } from '../state.ts';
import { readBuiltInFacts } from './built-in.ts';
import { BUILT_IN } from './choice.ts';
import { strengthProblem } from './lora.ts';
import { type DroppedItem, droppedSource, filesSource } from './pick.ts';
import * as state from './state.ts';
import { isAddress, quantizationOf } from './words.ts';

let keeper: LibraryApi | undefined;

/** The worker starts when it is first needed. */
function library(): LibraryApi {
  return (keeper ??= startLibrary());
}

/** Shows what went wrong. A worker that failed is started anew the next time. */
export function showProblem(error: unknown): void {
  const report = reportOf(error);
  if (report.code === 'internal') keeper = undefined;
  state.problem.value = report;
}

/** To those who cannot see the page change. What is behind an open dialog is not read out. */
function announce(text: string): void {
  (state.open.value ? state.announcement : announcement).value = text;
}

/** The dialog has been opened, by whatever. */
export function opened(): void {
  state.unseen.value = false;
  void readBuiltInFacts();
  state.problem.value = undefined;
  void refresh();
}

export async function refresh(): Promise<void> {
  try {
    state.library.value = await library().list();
  } catch (error) {
    showProblem(error);
  }
}

/** Brings in the model that the form describes, or goes on with it. */
export async function startImport(): Promise<void> {
  if (state.importing.value) return;
  const { quantization, loras } = state.draft.value;
  try {
    const source = sourceOf(state.draft.value);
    checkStrengths(loras);
    batch(() => {
      state.problem.value = undefined;
      state.outcome.value = undefined;
      state.importing.value = { source, progress: undefined, cancelling: false };
    });
    const { record, notes } = await library().import(
      { source, quantization, loras },
      (progress) => {
        const current = state.importing.value;
        if (!current) return;
        state.importing.value = { ...current, progress };
        // The model is in the list as soon as it is begun.
        if (progress.what !== current.progress?.what) void refresh();
      },
    );
    batch(() => {
      state.outcome.value = { kind: 'done', record, notes };
      state.draft.value = state.EMPTY_DRAFT;
      announce([`${record.title} is added.`, ...notes].join(' '));
    });
  } catch (error) {
    const report = reportOf(error);
    if (report.code === 'internal') keeper = undefined;
    state.outcome.value =
      report.code === 'cancelled' ? { kind: 'cancelled' } : { kind: 'failed', report };
    if (!state.open.value) announce(`Adding the model stopped. ${report.message}`);
  } finally {
    batch(() => {
      state.importing.value = undefined;
      state.unseen.value = !state.open.value;
    });
    await refresh();
  }
}

function sourceOf({ from, picked, address, token }: state.Draft): ImportSource {
  if (from === 'computer') {
    if (picked) return picked;
    throw new AppError(
      'bad-request',
      'No files are chosen.',
      'Choose the files of a model or the folder that holds them.',
    );
  }
  if (address.trim() === '') {
    throw new AppError(
      'bad-request',
      'There is no address.',
      'Give the https address of a model, or ORG/NAME on Hugging Face.',
    );
  }
  return { kind: 'address', address: address.trim(), ...(token !== '' && { token }) };
}

function checkStrengths(loras: readonly ImportLora[]): void {
  const problem = loras.map(({ strength }) => strengthProblem(strength)).find(Boolean);
  if (problem) throw new AppError('bad-request', problem, 'Between 0.5 and 1 is usual.');
}

export async function cancelImport(): Promise<void> {
  const current = state.importing.value;
  if (!current || current.cancelling) return;
  state.importing.value = { ...current, cancelling: true };
  await library().cancel().catch(showProblem);
}

/** Goes on with a model that came from the web. */
export async function continueImport(record: ModelRecord): Promise<void> {
  if (!isAddress(record.source)) return;
  changeDraft({
    from: 'web',
    address: record.source,
    quantization: quantizationOf(record) ?? 'auto',
    loras: [],
  });
  await startImport();
}

/** Sets the form to what the model was begun with; its files have to be chosen again. */
export function prepareToContinue(record: ModelRecord): void {
  const from = isAddress(record.source) ? 'web' : 'computer';
  changeDraft({
    from,
    picked: undefined,
    address: from === 'web' ? record.source : '',
    quantization: quantizationOf(record) ?? 'auto',
    loras: [],
  });
}

/** Call it in the drop event itself; see `droppedSource`. Opens the dialog if it is closed. */
export async function takeDrop(items: Iterable<DroppedItem>): Promise<void> {
  const source = droppedSource(items);
  state.open.value = true;
  try {
    changeDraft({ from: 'computer', picked: await source });
  } catch (error) {
    showProblem(error);
  }
}

/**
 * Files of several folders make a model together: those chosen before stay.
 * @throws AppError `bad-request` if there are none.
 */
export function addFiles(chosen: readonly File[]): void {
  const { picked } = state.draft.value;
  const added = filesSource(chosen);
  if (picked?.kind !== 'files' || added.kind !== 'files') {
    changeDraft({ picked: added });
    return;
  }
  const others = picked.files.filter(({ name }) => added.files.every((file) => file.name !== name));
  changeDraft({ picked: { kind: 'files', files: [...others, ...added.files] } });
}

export function changeDraft(change: Partial<state.Draft>): void {
  batch(() => {
    state.draft.value = { ...state.draft.value, ...change };
    if (!state.importing.value) state.outcome.value = undefined;
  });
}

export function useStored(id: string): void {
  state.outcome.value = undefined;
  loadModel({ kind: 'stored', id });
}

export function useBuiltIn(): void {
  loadModel(BUILT_IN);
}

/** Hashes every file of a model again. */
export async function check({ id, title }: ModelRecord): Promise<void> {
  setCheck(id, { kind: 'running', progress: undefined });
  try {
    const damaged = await library().verify(id, (progress) => {
      if (state.checks.value.get(id)?.kind === 'running')
        setCheck(id, { kind: 'running', progress });
    });
    setCheck(id, { kind: 'done', damaged });
    announce(damaged.length === 0 ? `${title} is undamaged.` : `${title} is damaged.`);
  } catch (error) {
    setCheck(id, undefined);
    showProblem(error);
  }
}

function setCheck(id: string, check: state.Check | undefined): void {
  const checks = new Map(state.checks.value);
  if (check) checks.set(id, check);
  else checks.delete(id);
  state.checks.value = checks;
}

/** Frees the space of a model. */
export async function remove({ id, title }: ModelRecord): Promise<void> {
  setDeleting(id, true);
  try {
    const inUse = model.value;
    // The engine holds the model's files open.
    if (inUse.kind === 'stored' && inUse.id === id) loadModel(BUILT_IN);
    await library().remove(id);
    const { outcome } = state;
    if (outcome.value?.kind === 'done' && outcome.value.record.id === id) outcome.value = undefined;
    setCheck(id, undefined);
    announce(`${title} is deleted.`);
  } catch (error) {
    showProblem(error);
  }
  await refresh();
  setDeleting(id, false);
}

function setDeleting(id: string, is: boolean): void {
  const ids = new Set(state.deleting.value);
  if (is) ids.add(id);
  else ids.delete(id);
  state.deleting.value = ids;
}
