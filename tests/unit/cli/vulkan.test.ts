import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chooseVulkan } from '../../../src/node/vulkan.ts';

const CHROMIUM = '/usr/lib/chromium/vk_swiftshader_icd.json';
const LAVAPIPE = '/usr/share/vulkan/icd.d/lvp_icd.x86_64.json';
const NVIDIA = '/etc/vulkan/icd.d/nvidia_icd.json';
const HOME = { HOME: '/home/someone' };

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vulkan-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function install(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '{}');
  }
}

const choose = (env: Record<string, string> = {}, platform: NodeJS.Platform = 'linux') =>
  chooseVulkan({ ...HOME, ...env }, platform, root);

test("a machine's own GPU is used unless another driver is named", () => {
  install(CHROMIUM, LAVAPIPE, NVIDIA);
  expect(choose()).toEqual({ name: 'system', words: "the system's" });
  expect(choose({ HICACHE_VULKAN: 'system' })).toMatchObject({ name: 'system' });
});

test.each([
  [CHROMIUM],
  [CHROMIUM, LAVAPIPE],
  [CHROMIUM, LAVAPIPE, NVIDIA],
  [CHROMIUM, '/home/someone/.local/share/vulkan/icd.d/mine.json'],
])('SwiftShader by name is SwiftShader, whatever is installed: %s', (...paths) => {
  install(...paths);
  const named = { HICACHE_VULKAN: 'swiftshader' };
  const expected = { name: 'swiftshader', manifest: join(root, CHROMIUM) };
  expect(choose(named)).toMatchObject(expected);
  expect(choose({ ...named, VK_DRIVER_FILES: '/else.json' })).toMatchObject(expected);
});

test('lavapipe by name is lavapipe', () => {
  install(CHROMIUM, NVIDIA, LAVAPIPE);
  const driver = choose({ HICACHE_VULKAN: 'lavapipe' });
  expect(driver).toMatchObject({ name: 'lavapipe', manifest: join(root, LAVAPIPE) });
});

test('without a driver of the system SwiftShader is better than nothing', () => {
  install(CHROMIUM);
  // An empty folder is no driver.
  mkdirSync(join(root, '/usr/share/vulkan/icd.d'), { recursive: true });
  expect(choose()).toMatchObject({ name: 'swiftshader', manifest: join(root, CHROMIUM) });
  expect(choose().words).toContain('since the system has no other');
});

test('what the Vulkan loader is configured to is left alone', () => {
  install(CHROMIUM);
  const driver = choose({ VK_ICD_FILENAMES: '/opt/mine.json' });
  expect(driver).toEqual({ name: 'system', words: '/opt/mine.json, as VK_ICD_FILENAMES asks' });
});

test('SwiftShader is also found beside the browser that the tests use', () => {
  install('/somewhere/chrome', '/somewhere/vk_swiftshader_icd.json');
  const env = { HICACHE_VULKAN: 'swiftshader', CHROMIUM_PATH: join(root, '/somewhere/chrome') };
  expect(choose(env).manifest).toMatch(/\/somewhere\/vk_swiftshader_icd\.json$/);
});

test.each([
  ['swiftshader', 'not-found', /Chromium/],
  ['lavapipe', 'not-found', /Mesa/],
  ['llvmpipe', 'bad-request', /system, swiftshader, lavapipe/],
])('%s that is not there is an error, not another driver', (name, code, hint) => {
  install(NVIDIA);
  expect(() => choose({ HICACHE_VULKAN: name })).toThrowError(
    expect.objectContaining({ code, hint: expect.stringMatching(hint) as string }) as Error,
  );
});

test('elsewhere than on Linux the system decides', () => {
  expect(choose({}, 'darwin')).toEqual({ name: 'system', words: "the system's" });
});
