/** Downloads of browsers whose drivers do not report them: by the folder that they go to. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { expect } from 'vitest';

/** Clicks, waits for the one whole file that comes into the folder, and takes it away. */
export async function takeDownload(folder: string, click: () => Promise<void>): Promise<Buffer> {
  await click();
  let bytes: Buffer | undefined;
  await expect
    .poll(async () => (bytes = await takeWhole(folder)), {
      timeout: 60_000,
      message: `a downloaded file in ${folder}`,
    })
    .toBeDefined();
  return bytes!;
}

async function takeWhole(folder: string): Promise<Buffer | undefined> {
  for (const name of await readdir(folder)) {
    const isWhole = WHOLE[extname(name)];
    if (!isWhole) continue;
    const path = join(folder, name);
    const bytes = await readFile(path);
    if (!isWhole(bytes)) continue;
    await rm(path);
    return bytes;
  }
  return undefined;
}

/** Whether a browser has written such a file to its end; one still under way may have its name. */
const WHOLE: Record<string, (bytes: Buffer) => boolean> = {
  '.png': (bytes) => bytes.subarray(-8, -4).toString() === 'IEND',
  '.json': (bytes) => {
    try {
      JSON.parse(bytes.toString());
      return true;
    } catch {
      return false;
    }
  },
};
