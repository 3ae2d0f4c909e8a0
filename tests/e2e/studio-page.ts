/** The page as a person uses it: by labels and roles. */
import { readFile } from 'node:fs/promises';
import { decode } from 'fast-png';
import type { Locator, Page } from 'playwright-core';
import type { GenerateStats } from '../../src/sampling/stats.ts';

/** Names of controls that pages of other drivers look for too. */
export const LABELS = {
  prompt: 'What should the picture show?',
  generate: 'Generate',
  newSeeds: 'A new seed for every picture',
  statsFile: 'Figures as JSON',
  imageFile: 'Download PNG',
  offline: 'works offline',
} as const;

export interface TimelineStep {
  readonly done: boolean;
  readonly computed: boolean;
  /** What the step says of itself, e.g. "Step 3: forecast in 9 ms; Hermite, order 2, …". */
  readonly text: string;
}

export interface FinishedPicture {
  readonly stats: GenerateStats;
  /** RGBA of the downloaded PNG. */
  readonly pixels: Uint8ClampedArray;
}

type Download = (click: () => Promise<void>) => Promise<Buffer>;

export class StudioPage {
  readonly prompt: Locator;
  readonly generate: Locator;
  readonly cancel: Locator;
  readonly alert: Locator;
  readonly summary: Locator;
  readonly unknownWords: Locator;

  /** @param download clicks what starts a download, and gives the file */
  constructor(
    readonly page: Page,
    private readonly download: Download = (click) => downloadOf(page, click),
  ) {
    this.prompt = page.getByLabel(LABELS.prompt);
    this.generate = page.getByRole('button', { name: LABELS.generate });
    this.cancel = page.getByRole('button', { name: /^Cancel/ });
    this.alert = page.getByRole('alert').locator('.notice');
    this.summary = page.locator('.summary');
    this.unknownWords = page.getByRole('note');
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  slider(name: string): Locator {
    return this.page.getByRole('slider', { name, exact: true });
  }

  number(name: string): Locator {
    return this.page.getByRole('spinbutton', { name, exact: true });
  }

  /** One of several choices side by side. */
  radio(group: string, name: string): Locator {
    return this.page.getByRole('group', { name: group, exact: true }).getByLabel(name);
  }

  /** A chart of the lab, by how its title begins. */
  chart(title: string): Locator {
    return this.page.getByRole('img', { name: new RegExp(`^${title}`) });
  }

  /** Waits until the model is there; gives the backend that runs it. */
  async ready(): Promise<string | null> {
    const status = this.page.locator('.engine.ready');
    await status.waitFor();
    return status.getAttribute('data-backend');
  }

  /** Starts an image of this many steps. */
  async start(prompt: string, steps: number): Promise<void> {
    await this.number('Steps').fill(String(steps));
    await this.prompt.fill(prompt);
    await this.generate.click();
  }

  /** Key by key: `fill` does not replace what a number field of Firefox holds. */
  async setNumber(name: string, value: number): Promise<void> {
    const field = this.number(name);
    await field.press('ControlOrMeta+a');
    await field.pressSequentially(String(value));
  }

  get seed(): Locator {
    return this.page.getByRole('textbox', { name: 'Seed', exact: true });
  }

  async fixSeed(seed: number | string): Promise<void> {
    await this.page.getByLabel(LABELS.newSeeds).uncheck();
    await this.seed.fill(String(seed));
  }

  /** Waits until the service worker has everything that the page needs without a network. */
  async keptOffline(): Promise<void> {
    await this.page.getByRole('status').getByText(LABELS.offline).waitFor({ state: 'attached' });
  }

  /** Waits until so many steps are done. */
  async stepsDone(count: number): Promise<void> {
    await this.page
      .locator('.bar.done')
      .nth(count - 1)
      .waitFor({ state: 'attached' });
  }

  timeline(): Promise<TimelineStep[]> {
    return this.page
      .locator('.bars')
      .getByRole('option')
      .evaluateAll((bars) =>
        bars.map((bar) => ({
          done: bar.classList.contains('done'),
          computed: bar.classList.contains('computed'),
          text: bar.getAttribute('aria-label') ?? '',
        })),
      );
  }

  /** Waits for the running picture; fails with the alert's text if there is one instead. */
  async finished(): Promise<FinishedPicture> {
    await this.cancel.and(this.page.locator(':disabled')).waitFor();
    if (await this.alert.isVisible()) {
      throw new Error(`The page shows: ${await this.alert.innerText()}`);
    }
    await this.summary.waitFor();
    const stats = JSON.parse(
      (await this.download(() => this.button(LABELS.statsFile).click())).toString(),
    ) as GenerateStats;
    const png = decode(await this.download(() => this.button(LABELS.imageFile).click()));
    return { stats, pixels: Uint8ClampedArray.from(png.data) };
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

async function downloadOf(page: Page, click: () => Promise<void>): Promise<Buffer> {
  const [download] = await Promise.all([page.waitForEvent('download'), click()]);
  return readFile(await download.path());
}
