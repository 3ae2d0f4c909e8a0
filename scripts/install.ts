/** Installs programs that the tests need, with the package manager of the system. */
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Log = (text: string) => void;
export type Command = readonly [string, ...string[]];

/** The first of these programs that a folder of PATH holds, or undefined. */
export function programInPath(
  names: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): string | undefined {
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    // Folders may be entered, which is the same right.
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Whether `apt-get install` is there and permitted. */
export function canUseApt(env: NodeJS.ProcessEnv = process.env): boolean {
  return process.getuid?.() === 0 && programInPath(['apt-get'], env) !== undefined;
}

/** Another apt may be at work: these wait for its lock. `options` are those of `install`. */
export function aptInstall(
  packages: readonly string[],
  options: readonly string[] = [],
): readonly Command[] {
  const patient = ['-o', 'DPkg::Lock::Timeout=600', '-y'];
  return [
    ['apt-get', ...patient, 'update'],
    ['apt-get', ...patient, 'install', ...options, ...packages],
  ];
}

/** Runs commands until one fails; their output goes to `log`. Resolves to whether all succeeded. */
export async function runAll(commands: readonly Command[], log: Log): Promise<boolean> {
  for (const command of commands) if (!(await run(command, log))) return false;
  return true;
}

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
