/** The page in a browser under classic WebDriver, used by the names that assistive technology reads. */
import { decode } from 'fast-png';
import { By, until, type WebElement } from 'selenium-webdriver';
import type { GenerateStats } from '../../src/sampling/stats.ts';
import { type FinishedPicture, LABELS } from '../e2e/studio-page.ts';
import { takeDownload } from './downloads.ts';
import type { WebKit } from './webkit.ts';

const PATIENCE_MS = 400_000;

export class WebKitPage {
  constructor(private readonly webKit: WebKit) {}

  get driver() {
    return this.webKit.driver;
  }

  /** Waits until the model is there; gives the backend that runs it. */
  async ready(): Promise<string | null> {
    const status = await this.driver.wait(
      until.elementLocated(By.css('.engine.ready')),
      PATIENCE_MS,
    );
    return status.getAttribute('data-backend');
  }

  /** Waits until the service worker has everything that the page needs without a network. */
  async keptOffline(): Promise<void> {
    const message = By.xpath(`//*[@role="status"][contains(., "${LABELS.offline}")]`);
    await this.driver.wait(until.elementLocated(message), PATIENCE_MS);
  }

  /** Starts an image with a fixed seed. */
  async start(prompt: string, steps: number, seed: number): Promise<void> {
    await this.type('input[type=number]', 'Steps', String(steps));
    const newSeeds = await this.named('input[type=checkbox]', LABELS.newSeeds);
    if (await newSeeds.isSelected()) await newSeeds.click();
    await this.type('input', 'Seed', String(seed));
    await this.type('textarea', LABELS.prompt, prompt);
    await (await this.named('button', LABELS.generate)).click();
  }

  /** Waits for the running image; fails with the alert's text if there is one instead. */
  async finished(): Promise<FinishedPicture> {
    const end = By.css('.summary, [role=alert] .notice');
    await this.driver.wait(until.elementLocated(end), PATIENCE_MS);
    const [notice] = await this.driver.findElements(By.css('[role=alert] .notice'));
    if (notice) throw new Error(`The page shows: ${await notice.getText()}`);
    const stats = JSON.parse((await this.download(LABELS.statsFile)).toString()) as GenerateStats;
    const png = decode(await this.download(LABELS.imageFile));
    return { stats, pixels: Uint8ClampedArray.from(png.data) };
  }

  private download(button: string): Promise<Buffer> {
    return takeDownload(this.webKit.home, async () => {
      // WebKitWebDriver takes buttons below the window's edge to be out of reach, scrolled to or not.
      await this.driver.executeScript('arguments[0].click()', await this.named('button', button));
    });
  }

  private async type(selector: string, name: string, text: string): Promise<void> {
    const field = await this.named(selector, name);
    await field.clear();
    await field.sendKeys(text);
  }

  /** @throws Error with the names that there are if none is this one. */
  private async named(selector: string, name: string): Promise<WebElement> {
    const names: string[] = [];
    for (const element of await this.driver.findElements(By.css(selector))) {
      const found = await element.getAccessibleName();
      if (found === name) return element;
      names.push(found);
    }
    throw new Error(`No ${selector} is named "${name}"; there are: ${names.join(', ')}.`);
  }
}
