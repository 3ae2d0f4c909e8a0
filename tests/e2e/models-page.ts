/** The dialog for models, and the browser's storage behind it. */
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CDPSession, JSHandle, Locator } from 'playwright-core';
import type { StudioPage } from './studio-page.ts';

/** The checkpoint of the embedded model as diffusers saves it. */
export const CHECKPOINT = fileURLToPath(new URL('../../training/pocket', import.meta.url));
export const CHECKPOINT_TITLE = 'Pocket';

const DROPS = 4;
const DROP_MS = 5000;
const HAND_MS = 150;

/** What a stored model's manifest says of each of its files. */
export type StoredFiles = Readonly<Record<string, { readonly sha256: string }>>;

export class ModelsPage {
  readonly dialog: Locator;
  readonly alert: Locator;
  /** Stored models, without the one that comes with the page. */
  readonly stored: Locator;
  private devtools: CDPSession | undefined;

  constructor(readonly studio: StudioPage) {
    this.dialog = studio.page.getByRole('dialog', { name: 'Models' });
    this.alert = this.dialog.getByRole('alert').locator('.notice');
    this.stored = this.dialog.locator('.model-list li[aria-label]');
  }

  async open(): Promise<void> {
    await this.studio.page.getByRole('button', { name: /^Models/ }).click();
    await this.dialog.getByText('This page uses').waitFor();
  }

  async close(): Promise<void> {
    await this.button('Close').click();
    await this.dialog.waitFor({ state: 'hidden' });
  }

  button(name: string): Locator {
    return this.dialog.getByRole('button', { name, exact: true });
  }

  /** Chooses a folder as somebody would in the browser's own window. */
  async chooseFolder(path: string): Promise<void> {
    await this.dialog.locator('input[name=model-folder]').setInputFiles(path);
  }

  /**
   * Drops a file or a folder of this machine into the middle of the page, with the pauses of a hand.
   * Drags that DevTools makes get lost now and then while a dialog opens or closes: then once more.
   */
  async drop(path: string): Promise<void> {
    const { page } = this.studio;
    const { width = 0, height = 0 } = page.viewportSize() ?? {};
    const [x, y] = [width / 2, height / 2];
    const devtools = await page.context().newCDPSession(page);
    const data = { items: [], files: [path], dragOperationsMask: 1 };
    const picked = this.dialog.locator('.picked', { hasText: basename(path) });
    for (let attempt = 0; attempt < DROPS && !(await picked.isVisible()); attempt++) {
      for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
        await page.waitForTimeout(HAND_MS);
        await devtools.send('Input.dispatchDragEvent', { type, x, y, data });
      }
      await picked.waitFor({ timeout: DROP_MS }).catch(() => undefined);
    }
    await devtools.detach();
  }

  /** Waits until the import is over; fails with what the page says if it failed. */
  async added(): Promise<void> {
    const done = this.dialog.locator('.outcome.done');
    await done.or(this.alert).waitFor();
    if (await this.alert.isVisible()) throw new Error(await this.alert.innerText());
  }

  /** Waits until the import has done some of its work, and more is left. */
  async halfAdded(): Promise<void> {
    await this.studio.page.waitForFunction(() => {
      const bar = document.querySelector<HTMLProgressElement>('dialog .importing progress');
      return bar !== null && bar.position > 0.1 && bar.position < 0.9;
    });
  }

  /** Sets the real limit of what this site may store; without `bytes`, the usual one again. */
  async limitStorage(bytes?: number): Promise<void> {
    const { page } = this.studio;
    // A limit holds for as long as any session wants it: there is one for all calls.
    this.devtools ??= await page.context().newCDPSession(page);
    const { origin } = new URL(page.url());
    const quota = bytes === undefined ? {} : { quotaSize: bytes };
    await this.devtools.send('Storage.overrideQuotaForOrigin', { origin, ...quota });
  }

  async addFolder(path: string): Promise<void> {
    await this.chooseFolder(path);
    await this.button('Add the model').click();
    await this.added();
  }

  /** Bytes that the browser says this site takes. */
  usedBytes(): Promise<number> {
    return this.studio.page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0);
  }

  /** The files of the one stored model. */
  async storedFiles(): Promise<StoredFiles> {
    const folder = await this.folder();
    return folder.evaluate(async (model) => {
      const manifest = await (await model.getFileHandle('manifest.json')).getFile();
      return (JSON.parse(await manifest.text()) as { files: StoredFiles }).files;
    });
  }

  /** Changes one byte of a file of the one stored model, as a bad disk might. */
  async damage(path: string): Promise<void> {
    const folder = await this.folder();
    await folder.evaluate(async (model, name) => {
      const handle = await model.getFileHandle(name);
      const file = await handle.getFile();
      const position = Math.floor(file.size / 2);
      const byte = new Uint8Array(await file.slice(position, position + 1).arrayBuffer());
      const writable = await handle.createWritable({ keepExistingData: true });
      await writable.write({ type: 'write', position, data: byte.map((value) => value ^ 0xff) });
      await writable.close();
    }, path);
  }

  private folder(): Promise<JSHandle<FileSystemDirectoryHandle>> {
    return this.studio.page.evaluateHandle(async () => {
      const root = await navigator.storage.getDirectory();
      const models = await root.getDirectoryHandle('models');
      for await (const model of models.values()) return model as FileSystemDirectoryHandle;
      throw new Error('No model is stored.');
    });
  }

  /** Empties the store without the page, as a browser does that needs room. */
  clearStore(): Promise<void> {
    return this.studio.page.evaluate(async () => {
      await (await navigator.storage.getDirectory()).removeEntry('models', { recursive: true });
    });
  }
}
