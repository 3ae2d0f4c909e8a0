/** WebKitGTK's small browser under WebDriver, each in a home folder of its own. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Builder, type WebDriver } from 'selenium-webdriver';
import { inject } from 'vitest';
import { startDisplay } from './display.ts';

const START_MS = 30_000;

export interface WebKit {
  readonly driver: WebDriver;
  /** Where the browser thinks that its user is at home: what it downloads is there. */
  readonly home: string;
  close(): Promise<void>;
}

/** @param language for LANG, e.g. `C`, which programs started by services often have */
export async function launchWebKit(language: string): Promise<WebKit> {
  const programs = inject('webKit');
  const home = await mkdtemp(join(tmpdir(), 'hicache-webkit-'));
  const display = await startDisplay(programs.display);
  const port = await freePort();
  const service = spawn(programs.driver, [`--port=${port}`, '--host=127.0.0.1'], {
    // Nothing of the caller's language is inherited: LC_ALL would win over LANG.
    env: { PATH: process.env.PATH, HOME: home, DISPLAY: display.name, LANG: language },
    stdio: 'inherit',
  });
  const driver = await connect(`http://127.0.0.1:${port}`);
  return {
    driver,
    home,
    close: async () => {
      await driver.quit();
      service.kill();
      display.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** The driver has no word for being ready: it is when it answers. */
async function connect(address: string): Promise<WebDriver> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    try {
      if ((await fetch(`${address}/status`)).ok) break;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await setTimeout(100);
  }
  return new Builder()
    .usingServer(address)
    .withCapabilities({ browserName: 'MiniBrowser' })
    .build();
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
