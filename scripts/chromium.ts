/** Finds a Chromium for the browser tests, and installs one where there is none. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import {
  aptInstall,
  canUseApt,
  type Command,
  isProgram,
  type Log,
  programInPath,
  runAll,
} from './install.ts';

/** Gives WebGPU without a GPU, and keeps the browser from calling out on its own. */
export const HEADLESS_FLAGS: readonly string[] = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
];

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const USUAL_PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/snap/bin/chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];

/**
 * The executable of a Chromium: `CHROMIUM_PATH`, the system's, Playwright's own, or a newly
 * installed one. What an installer says goes to `log`.
 *
 * @throws Error that says what was tried if there is none in the end.
 */
export async function findChromium(log: Log = console.error): Promise<string> {
  const present = installedChromium();
  if (present) return present;
  for (const attempt of installers()) {
    log(
      `There is no Chromium here. Installing it: ${attempt.map((words) => words.join(' ')).join(' && ')}`,
    );
    if (!(await runAll(attempt, log))) continue;
    const installed = installedChromium();
    if (installed) return installed;
  }
  throw new Error(
    'There is no Chromium and none could be installed. ' +
      'Install Chromium or Chrome, or set CHROMIUM_PATH to its executable.',
  );
}

/** An installed Chromium, or undefined. @throws Error if CHROMIUM_PATH names no program. */
export function installedChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = env.CHROMIUM_PATH;
  if (named) {
    if (isProgram(named)) return named;
    throw new Error(`CHROMIUM_PATH is ${named}, which is not a program.`);
  }
  const elsewhere = [...USUAL_PLACES, chromium.executablePath()];
  return programInPath(NAMES, env) ?? elsewhere.find(isProgram);
}

/** Ways to install, best first: the system's package manager if we may use it, then Playwright. */
function installers(): readonly (readonly Command[])[] {
  const root = process.getuid?.() === 0;
  const managers: readonly { program: string; allowed: boolean; commands: readonly Command[] }[] = [
    {
      program: '/usr/bin/apt-get',
      allowed: canUseApt(),
      commands: aptInstall(['chromium']),
    },
    { program: '/usr/bin/dnf', allowed: root, commands: [['dnf', 'install', '-y', 'chromium']] },
    {
      program: '/usr/bin/pacman',
      allowed: root,
      commands: [['pacman', '-Sy', '--noconfirm', 'chromium']],
    },
    { program: '/sbin/apk', allowed: root, commands: [['apk', 'add', 'chromium']] },
    ...['/opt/homebrew/bin/brew', '/usr/local/bin/brew'].map((program) => ({
      program,
      allowed: process.platform === 'darwin',
      commands: [[program, 'install', '--cask', 'chromium']] as const,
    })),
  ];
  const playwright = createRequire(import.meta.url).resolve('playwright-core/package.json');
  return [
    ...managers
      .filter(({ program, allowed }) => allowed && existsSync(program))
      .map(({ commands }) => commands),
    [[process.execPath, join(dirname(playwright), 'cli.js'), 'install', 'chromium']],
  ];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(await findChromium());
}
