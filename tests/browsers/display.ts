/** A display in memory, for browsers that cannot do without one. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

export interface Display {
  /** For the variable DISPLAY. */
  readonly name: string;
  close(): void;
}

/** Starts Xvfb, which chooses a free number and writes it when it is ready. */
export async function startDisplay(program: string): Promise<Display> {
  const args = ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  const number = await firstLine(child, child.stdio[3] as Readable);
  return { name: `:${number}`, close: () => child.kill() };
}

/** @throws Error with what the process wrote to stderr if it ends first. */
function firstLine(child: ChildProcess, stream: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    let errors = '';
    child.stderr!.setEncoding('utf8').on('data', (data: string) => (errors += data));
    stream.setEncoding('utf8').on('data', (data: string) => {
      text += data;
      if (text.includes('\n')) resolve(text.split('\n')[0]!);
    });
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`Xvfb ended with ${code}: ${errors}`)));
  });
}
