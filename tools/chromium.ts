/** Finds a Chromium for the browser tests, and installs one where there is none. */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

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
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  const inPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...inPath, ...USUAL_PLACES, chromium.executablePath()].find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

type Log = (text: string) => void;
type Command = readonly [string, ...string[]];

/** Ways to install, best first: the system's package manager if we may use it, then Playwright. */
function installers(): readonly (readonly Command[])[] {
  const root = process.getuid?.() === 0;
  const managers: readonly { program: string; allowed: boolean; commands: readonly Command[] }[] = [
    {
      program: '/usr/bin/apt-get',
      allowed: root,
      commands: [
        ['apt-get', 'update'],
        ['apt-get', 'install', '-y', 'chromium'],
      ],
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

async function runAll(commands: readonly Command[], log: Log): Promise<boolean> {
  for (const command of commands) if (!(await run(command, log))) return false;
  return true;
}

/** Whether the command ended well; all that it says goes to `log`. */
function run([program, ...words]: Command, log: Log): Promise<boolean> {
  return new Promise((resolve) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const say = (data: Buffer) => log(data.toString().trimEnd());
    child.stdout.on('data', say);
    child.stderr.on('data', say);
    child.on('error', (error) => {
      log(error.message);
      resolve(false);
    });
    child.on('close', (code) => {
      if (code !== 0) log(`${program} ended with ${code}.`);
      resolve(code === 0);
    });
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(await findChromium());
}
