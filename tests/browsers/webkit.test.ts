import { afterEach, describe, expect, it } from 'vitest';
import { psnr } from '../../cli/lib/psnr.ts';
import { servePage } from '../../scripts/serve.ts';
import { replayOnCpu } from '../e2e/replay.ts';
import { launchWebKit, type WebKit } from './webkit.ts';
import { WebKitPage } from './webkit-page.ts';

const PROMPT = 'a big fox on a blue background';
const STEPS = 4;
const SEED = 7;

let browser: WebKit | undefined;
afterEach(() => browser?.close());

/** `C` is what services run with: WebKit then knows no language. */
describe.each(['C', 'C.UTF-8'])('with LANG=%s', (language) => {
  it('draws the image that Node draws, and the same without a network', async () => {
    const server = await servePage();
    browser = await launchWebKit(language);
    const page = new WebKitPage(browser);
    await page.driver.get(server.url);
    expect(await page.ready()).toBe('cpu');
    await page.keptOffline();
    await page.start(PROMPT, STEPS, SEED);
    const online = await page.finished();
    expect(online.stats).toMatchObject({ backend: 'cpu', steps: STEPS, seed: SEED });
    expect(psnr(online.pixels, await replayOnCpu(online.stats))).toBeGreaterThanOrEqual(60);

    await server.close();
    await expect(fetch(server.url)).rejects.toThrow();
    await page.driver.navigate().refresh();
    expect(await page.ready()).toBe('cpu');
    await page.start(PROMPT, STEPS, SEED);
    expect((await page.finished()).pixels).toEqual(online.pixels);
  });
});
