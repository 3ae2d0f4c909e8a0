/** Finds Firefox and WebKitGTK for the browser tests, and installs them where Debian's apt may. */
import { AppError } from '../src/shared/errors.ts';
import { aptInstall, canUseApt, type Log, programInPath, runAll } from './install.ts';

/** WebKitGTK's driver, which brings a small browser, and a display for it: it has no headless mode. */
export interface WebKitPrograms {
  readonly driver: string;
  readonly display: string;
}

/** The executable of a Firefox. @throws AppError `internal` that says what to install. */
export async function findFirefox(
  log: Log = console.error,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  return findProgram(['firefox-esr', 'firefox'], 'firefox-esr', log, env);
}

/** @throws AppError `internal` that says what to install. */
export async function findWebKit(
  log: Log = console.error,
  env: NodeJS.ProcessEnv = process.env,
): Promise<WebKitPrograms> {
  return {
    driver: await findProgram(['WebKitWebDriver'], 'webkit2gtk-driver', log, env),
    display: await findProgram(['Xvfb'], 'xvfb', log, env),
  };
}

async function findProgram(
  names: readonly string[],
  debian: string,
  log: Log,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const present = programInPath(names, env);
  if (present) return present;
  if (canUseApt(env)) {
    const commands = aptInstall([debian], ['--no-install-recommends']);
    log(`There is no ${names.join(' or ')}. Installing: ${commands.at(-1)!.join(' ')}`);
    await runAll(commands, log);
  }
  const installed = programInPath(names, env);
  if (installed) return installed;
  throw new AppError(
    'internal',
    `The browser tests need ${names.join(' or ')}, and this machine has none in its PATH.`,
    `Install Debian's package ${debian}, or run the tests as root on Debian, where they install it.`,
  );
}
