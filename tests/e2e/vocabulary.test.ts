/** What the page offers where a model tells which words it was trained on. */
import { createHash } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VOCABULARY } from '../unit/support/vocabulary.ts';
import { launchBrowser, openStudio } from './browser.ts';
import type { StudioPage } from './studio-page.ts';

const FILE = 'vocabulary.json';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** The built-in model as if it had this vocabulary. */
async function withVocabulary(page: Page, text: string): Promise<void> {
  const sha256 = createHash('sha256').update(text).digest('hex');
  const bytes = Buffer.byteLength(text);
  await page.route('**/models/pocket/manifest.json', async (route) => {
    const response = await route.fetch();
    const manifest = (await response.json()) as { files: Record<string, unknown> };
    await route.fulfill({
      json: {
        ...manifest,
        vocabulary: FILE,
        files: { ...manifest.files, [FILE]: { bytes, sha256 } },
      },
    });
  });
  await page.route(`**/models/pocket/${FILE}`, (route) =>
    route.fulfill({ body: text, contentType: 'application/json' }),
  );
}

/** The built-in model may have one of its own. */
async function withoutVocabulary(page: Page): Promise<void> {
  await page.route('**/models/pocket/manifest.json', async (route) => {
    const manifest = (await (await route.fetch()).json()) as Record<string, unknown>;
    delete manifest['vocabulary'];
    await route.fulfill({ json: manifest });
  });
}

async function openWith(vocabulary: unknown) {
  const text = JSON.stringify(vocabulary);
  return openStudio(browser, { prepare: (page) => withVocabulary(page, text) });
}

describe('a model that names its words', () => {
  let studio: StudioPage;
  beforeAll(async () => {
    studio = await openWith(VOCABULARY);
    await studio.ready();
  });
  afterAll(() => studio.close());

  it('hints at unknown words while they are typed, and a click on a suggestion mends the prompt', async () => {
    const hint = studio.page.locator('.prompt-hint');
    await studio.prompt.fill('a zebra and an Appel, appel');
    const apple = studio.page.getByRole('button', { name: 'apple, instead of Appel', exact: true });
    await apple.waitFor();
    expect(await hint.innerText()).toContain('The model does not know: zebra and Appel.');
    expect(await hint.getByRole('button').allInnerTexts()).toEqual(['apple']);

    await apple.click();
    expect(await studio.prompt.inputValue()).toBe('a zebra and an apple, apple');
    expect(await studio.prompt.evaluate((field) => field === document.activeElement)).toBe(true);
    await hint.getByText('The model does not know: zebra.').waitFor();
    expect(await hint.getByRole('button').count()).toBe(0);
    // It only changes the prompt.
    expect(await studio.page.locator('.bar.done').count()).toBe(0);
  });

  it('tells of the words that a picture was made without, where they can be mended too', async () => {
    await studio.start('a striped foxx', 3);
    const { stats } = await studio.finished();
    expect(stats.unknownWords).toEqual(['foxx']);
    expect(await studio.unknownWords.innerText()).toMatch(
      /^The model does not know: foxx\. It drew the rest\.\s+For foxx, try\s+fox$/,
    );
    // Said once, there.
    expect(await studio.page.locator('.prompt-hint').innerText()).toBe('');
    await studio.unknownWords.getByRole('button').click();
    expect(await studio.prompt.inputValue()).toBe('a striped fox');
    expect(await studio.unknownWords.getByRole('button').count()).toBe(0);
  });

  it('lists what it can draw, to search and to put into the prompt at the caret', async () => {
    await studio.prompt.fill('a  on blue');
    await studio.prompt.evaluate((field: HTMLTextAreaElement) => field.setSelectionRange(2, 2));
    await studio.page.getByText('What can it draw?').click();
    const list = studio.page.getByRole('list', { name: 'Things that it can draw' });
    await list.getByRole('button', { name: 'wolf' }).waitFor();
    expect(await list.getByRole('button').count()).toBe(VOCABULARY.concepts.length);

    const search = studio.page.getByRole('searchbox');
    await search.fill('kitty');
    expect(await list.getByRole('button').allInnerTexts()).toEqual(['cat']);
    await list.getByRole('button', { name: 'cat' }).click();
    expect(await studio.prompt.inputValue()).toBe('a cat on blue');

    // By keyboard, after what was put there before.
    await search.fill('crab');
    await search.press('ArrowDown');
    await studio.page.keyboard.press('ArrowRight');
    await studio.page.keyboard.press('Enter');
    expect(await studio.prompt.inputValue()).toBe('a cat hermit crab on blue');
    await search.press('Enter');
    expect(await studio.prompt.inputValue()).toBe('a cat hermit crab crab on blue');
  });
});

it('fixes all words at once, by keyboard too, and takes it back', async () => {
  const studio = await openWith({
    ...VOCABULARY,
    related: { tree: ['pine tree'], zebra: ['wolf', 'fox'] },
    concepts: [...VOCABULARY.concepts, ['pine tree']],
  });
  await studio.ready();
  const typed = 'a pine tree, a tree, an Appel and two zebras for me';
  await studio.prompt.fill(typed);
  const fix = studio.button('Fix all');
  await fix.waitFor();
  await fix.focus();
  await studio.page.keyboard.press('Enter');
  expect(await studio.prompt.inputValue()).toBe(
    'a pine tree, a pine tree, an apple and two wolves for me',
  );
  expect(await studio.prompt.evaluate((field) => field === document.activeElement)).toBe(true);
  await studio.button('Undo the replacement').focus();
  await studio.page.keyboard.press('Enter');
  expect(await studio.prompt.inputValue()).toBe(typed);
  expect(await studio.button('Undo the replacement').count()).toBe(0);
  await studio.close();
});

it('reads emoji as words, and says so', async () => {
  const studio = await openWith({ ...VOCABULARY, emoji: { '🦊': 'fox' } });
  await studio.ready();
  await studio.number('Steps').fill('1');
  await studio.prompt.fill('a 🦊 on a blue background');
  await studio.page.getByText('Reads 🦊 as “fox”.').waitFor();
  await studio.generate.click();
  const { stats } = await studio.finished();
  expect(stats).toMatchObject({
    prompt: 'a 🦊 on a blue background',
    encodedPrompt: 'a fox on a blue background',
    unknownWords: [],
  });
  await studio.close();
});

it('says up to which word it reads, counts on while the rest is typed, and is silent once it fits', async () => {
  const studio = await openStudio(browser);
  // Typed before the model is there: nothing is said until it is.
  const start = Array<string>(27).fill('fox').join(' ');
  await studio.prompt.fill(`${start} and a cat`);
  await studio.ready();
  const hint = studio.page.locator('.cut-hint');
  await hint.waitFor();
  expect(await hint.innerText()).toContain('The model reads up to “…fox fox fox”');
  await studio.prompt.press('End');
  await studio.prompt.pressSequentially(' or two dogs');
  expect(await hint.innerText()).toContain('the last 3 words are ignored');
  expect(await hint.locator('s').innerText()).toBe('or two dogs');
  await studio.prompt.fill(start);
  await hint.waitFor({ state: 'detached' });
  await studio.close();
});

it('a model without one has neither list nor hints', async () => {
  const studio = await openStudio(browser, { prepare: withoutVocabulary });
  await studio.ready();
  expect(await studio.page.getByText('What can it draw?').count()).toBe(0);
  await studio.prompt.fill('a zebra and an appel');
  await studio.page.waitForTimeout(1500);
  expect(await studio.page.locator('.prompt-hint').innerText()).toBe('');
  await studio.close();
});

it('one that is malformed is a fault of the bundle', async () => {
  const studio = await openWith({ concepts: [[]], words: [] });
  await studio.alert.waitFor();
  expect(await studio.alert.innerText()).toMatch(/vocabulary\.json: concepts\.0: /);
  await studio.close();
});
