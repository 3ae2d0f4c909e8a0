import { describe, expect, test } from 'vitest';
import { bytesOfBytes } from '../../../src/app/controls/format.ts';
import { readAddress } from '../../../src/app/address.ts';
import { budgetProblem, GB } from '../../../src/app/models/budget.ts';
import { BUILT_IN, BUILT_IN_KEY, modelKey } from '../../../src/app/models/choice.ts';
import { strengthProblem } from '../../../src/app/models/lora.ts';
import {
  type ComponentPlan,
  isAddress,
  lorasOf,
  progressInWords,
  quantizationOf,
  residencyInWords,
  settingsInWords,
  sourceInWords,
  sourceName,
  spaceInWords,
  useInWords,
} from '../../../src/app/models/words.ts';
import type { ModelRecord } from '../../../src/workers/library/api.ts';

test('what is done has the unit of the whole, and is never more than it', () => {
  expect(bytesOfBytes(312e6, 33.9e9)).toBe('0.31 of 33.90 GB');
  expect(bytesOfBytes(7e6, 26e6)).toBe('7.0 of 26.0 MB');
  expect(bytesOfBytes(27e6, 26e6)).toBe('26.0 of 26.0 MB');
  expect(progressInWords({ what: '', doneBytes: 5, totalBytes: 0, secondsLeft: null })).toBe('');
});

test('space says who keeps it', () => {
  expect(spaceInWords({ used: 13.3e9, persisted: true })).toBe(
    'This page uses 13.30 GB of storage. The browser promised to keep stored models.',
  );
  expect(spaceInWords({ used: 13.3e9, persisted: false })).toMatch(/may clear stored models/);
  expect(spaceInWords({ used: null, persisted: false })).toMatch(/^The browser may clear/);
  expect(spaceInWords(null)).toMatch(/keeps no files for this page, so no models can be added/);
});

describe('a source', () => {
  const file = (name: string, bytes = 1e6) => new File([new Uint8Array(bytes)], name);

  test('of single files has their names in order', () => {
    const files = [file('vae.safetensors'), file('flux.safetensors')];
    expect(sourceName({ kind: 'files', files })).toBe('flux.safetensors, vae.safetensors');
    expect(sourceInWords({ kind: 'files', files })).toBe('2 files, 2.0 MB');
    expect(sourceInWords({ kind: 'files', files: files.slice(0, 1) })).toBe(
      'vae.safetensors, 1.0 MB',
    );
  });

  test('of a folder has its name', () => {
    const files = [file('FLUX.1-dev/vae/config.json'), file('FLUX.1-dev/model_index.json')];
    expect(sourceName({ kind: 'files', files })).toBe('FLUX.1-dev');
    expect(sourceInWords({ kind: 'files', files })).toBe('FLUX.1-dev: 2 files, 2.0 MB');
    const folder = { name: 'FLUX.1-dev' } as FileSystemDirectoryHandle;
    expect(sourceInWords({ kind: 'folder', folder })).toBe('FLUX.1-dev');
  });

  test('of the web is its address, which a file is not', () => {
    expect(sourceName({ kind: 'address', address: ' org/name ' })).toBe('org/name');
    for (const address of ['https://a.example/b/', 'org/name', 'org/na.me-2@refs/pr/1']) {
      expect(isAddress(address)).toBe(true);
    }
    for (const name of ['FLUX.1-dev', 'a.safetensors, b.safetensors', 'file:///etc/', 'a/b/c']) {
      expect(isAddress(name)).toBe(false);
    }
  });
});

describe('a record', () => {
  const record: ModelRecord = {
    id: 'a',
    title: 'A',
    licence: '',
    source: 'a',
    bytes: 1,
    date: '2026-11-24T00:00:00Z',
    state: 'complete',
    settings: { quantization: 'int4', 'lora style.safetensors': 0.8, 'lora ink.safetensors': -1 },
  };

  test('tells what it was made with', () => {
    expect(quantizationOf(record)).toBe('int4');
    expect(lorasOf(record)).toEqual([
      { name: 'style.safetensors', strength: 0.8 },
      { name: 'ink.safetensors', strength: -1 },
    ]);
    expect(settingsInWords(record)).toBe(
      '4 bits, with LoRA style.safetensors at 0.8 and ink.safetensors at -1',
    );
  });

  test('of a bundle tells nothing of it', () => {
    expect(settingsInWords({ ...record, settings: {} })).toBe('');
    expect(quantizationOf({ ...record, settings: { quantization: 'int1' } })).toBeUndefined();
  });
});

describe('what is in memory', () => {
  const plan = (change: Partial<ComponentPlan>): ComponentPlan => ({
    component: 'trunk',
    words: 'transformer',
    segments: 7,
    bytes: 6.74e9,
    use: 'resident',
    reloadedBytes: 0,
    ...change,
  });
  const t5 = plan({
    component: 't5',
    words: 'text encoder T5',
    use: 'swapped',
    bytes: 3e9,
    reloadedBytes: 3e9,
  });
  const streamed = plan({ use: 'streamed', reloadedBytes: 1.2e9 });

  test('is told for each component', () => {
    expect(useInWords(plan({}))).toBe('stays loaded');
    expect(useInWords(t5)).toBe('loaded for every new prompt');
    expect(useInWords({ ...t5, component: 'decoder' })).toBe('loaded for every picture');
    expect(useInWords(streamed)).toBe('1.20 GB of it loaded at every computed step (slow)');
    expect(useInWords(plan({ use: 'unused' }))).toBe('not loaded');
  });

  test('is told for the whole', () => {
    const residency = (components: ComponentPlan[]) => ({
      budget: 8e9,
      peak: 8.2e9,
      activations: { text: 0, denoise: 0, preview: 0, decode: 0 },
      components,
    });
    expect(residencyInWords(residency([plan({}), plan({ use: 'unused' })]))).toBe(
      'Takes up to 8.20 GB of memory. All of the model stays loaded.',
    );
    expect(residencyInWords(residency([t5, streamed]))).toBe(
      'Takes up to 8.20 GB of memory. Loaded again for pictures: text encoder T5. ' +
        'Loaded again at every computed step, which is slow: transformer.',
    );
  });
});

test('limits', () => {
  expect(budgetProblem(undefined)).toBeUndefined();
  for (const bytes of [0.5 * GB, 8.59 * GB, 64 * GB]) expect(budgetProblem(bytes)).toBeUndefined();
  for (const bytes of [0, 0.4 * GB, 65 * GB, NaN])
    expect(budgetProblem(bytes)).toMatch(/0.5 to 64/);
  for (const strength of [-10, 0, 0.8, 10]) expect(strengthProblem(strength)).toBeUndefined();
  for (const strength of [-11, 10.5, NaN]) expect(strengthProblem(strength)).toMatch(/-10 to 10/);
});

describe('the address of the page', () => {
  const page = 'https://site.example/studio/';

  test('leaves the model to memory if it names none', () => {
    expect(readAddress(page)).toEqual({ model: undefined, backend: 'auto' });
    expect(readAddress(`${page}?backend=cpu`).backend).toBe('cpu');
  });

  test('names a model, relative or not; the one that comes with the page is always the same', () => {
    expect(readAddress(`${page}?model=../b/`).model).toEqual({
      kind: 'url',
      url: 'https://site.example/b/',
    });
    expect(readAddress(`${page}?model=models/pocket/`).model).toBe(BUILT_IN);
    expect(modelKey(BUILT_IN)).toBe(BUILT_IN_KEY);
    expect(modelKey({ kind: 'stored', id: 'a-1' })).toBe('a-1');
    expect(modelKey({ kind: 'url', url: 'https://b.example/' })).toBe('https://b.example/');
  });

  test('is refused if it asks for what there is not', () => {
    expect(() => readAddress(`${page}?model=file:///etc/`)).toThrow(/not an address of a model/);
    expect(() => readAddress(`${page}?backend=quantum`)).toThrow(/no backend "quantum"/);
  });
});
