/**
 * Debian 13 in a folder, for its lavapipe: the only software GPU that computes in half precision
 * (`shader-f16`) and is new enough for Dawn and Firefox. It lies in a cache folder outside the
 * repository, is made once (debootstrap, about two minutes) and kept, the shaders that lavapipe
 * has compiled included.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { AppError } from '../src/shared/errors.ts';
import { aptInstall, canUseApt, type Command, programInPath, runAll } from './install.ts';

const RELEASE = 'trixie';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Debian 13's lavapipe is of Mesa 25 and LLVM 19; Mesa 25 with LLVM 15 hangs while compiling. */
const PACKAGES = ['mesa-vulkan-drivers', 'libvulkan1', 'ca-certificates'];
/** The first that has `Float16Array`, as Chrome, Edge and Firefox do. */
const NODE_MAJOR = 24;

const REPOSITORY = fileURLToPath(new URL('../', import.meta.url));
/** Where the chroot sees the repository, and lavapipe's shader cache. */
const INSIDE = { repository: '/repository', cache: '/var/cache/hicache-studio' } as const;

/** Mounts in a namespace of their own, which the kernel takes down with the last process in it. */
const ENTER = `
set -e
root=$1 repository=$2 temporary=$3; shift 3
for folder in proc sys dev; do mount --rbind "/$folder" "$root/$folder"; done
mount --bind "$repository" "$root${INSIDE.repository}"
mkdir -p "$root$temporary"
mount --bind "$temporary" "$root$temporary"
exec chroot "$root" /usr/bin/env --ignore-environment --chdir=${INSIDE.repository} "$@"
`;

export interface Chroot {
  /** Its root folder, as the outside sees it. */
  readonly root: string;
  /**
   * Runs a program in the repository's folder, with lavapipe as the only Vulkan driver and Node 24
   * as `node`. The network, /dev and the temporary folder (at the same path) are the machine's.
   *
   * @param env added to a small environment; nothing else is inherited
   * @param onOutput receives stdout and stderr; without it they go to this process's
   * @returns the exit status, 1 for a process that a signal ended
   */
  run(
    command: readonly string[],
    env?: Readonly<Record<string, string>>,
    onOutput?: (text: string) => void,
  ): Promise<number>;
}

/**
 * Opens the chroot, and makes it first where there is none.
 *
 * @param extraPackages of Debian 13 to have in it, such as `firefox-esr`
 * @throws AppError `internal` that says what this machine lacks.
 */
export async function openChroot(extraPackages: readonly string[] = []): Promise<Chroot> {
  await checkMachine();
  const root = join(cacheFolder(), RELEASE);
  if (!existsSync(root)) await makeRoot(root);
  mkdirSync(join(root, INSIDE.repository), { recursive: true });
  mkdirSync(join(root, INSIDE.cache), { recursive: true });
  const chroot: Chroot = {
    root,
    run: (command, env, onOutput) => enter(root, command, env, onOutput),
  };
  await installPackages(chroot, extraPackages);
  await installNode(root);
  return chroot;
}

/** Outside the repository, and kept: `XDG_CACHE_HOME` or ~/.cache, a folder of the project's own. */
function cacheFolder(): string {
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hicache-studio');
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function checkMachine(): Promise<void> {
  if (process.platform !== 'linux') {
    throw missing('It needs Linux', `this is ${process.platform}.`);
  }
  if (process.getuid?.() !== 0) {
    throw missing('It needs root, to make and enter a chroot', 'this is an ordinary user.');
  }
  if (spawnSync('unshare', ['--mount', '--propagation', 'private', 'true']).status !== 0) {
    throw missing(
      'It needs the right to mount (CAP_SYS_ADMIN)',
      'this container does not give it.',
    );
  }
  if (findDebootstrap()) return;
  if (canUseApt())
    await runAll(aptInstall(['debootstrap'], ['--no-install-recommends']), console.log);
  if (!findDebootstrap()) {
    throw missing('It needs the program debootstrap', 'this machine has none.');
  }
}

/** Made beside its place and moved there as a whole: an attempt that broke off leaves no root. */
async function makeRoot(root: string): Promise<void> {
  const attempt = mkdtempSync(`${root}.`);
  // As a root folder is: apt fetches packages as a user of its own.
  chmodSync(attempt, 0o755);
  try {
    const checked = existsSync(KEYRING) ? [`--keyring=${KEYRING}`, '--force-check-gpg'] : [];
    const packages = `--include=${PACKAGES.join()}`;
    await execute('debootstrap', '--variant=minbase', packages, ...checked, RELEASE, attempt);
    renameSync(attempt, root);
  } finally {
    rmSync(attempt, { recursive: true, force: true });
  }
}

async function installPackages(chroot: Chroot, wanted: readonly string[]): Promise<void> {
  if (wanted.length === 0) return;
  const ask = ['dpkg-query', '--show', '--showformat=${db:Status-Status}\\n', ...wanted];
  let states = '';
  await chroot.run(ask, {}, (text) => (states += text));
  // It also knows packages that others only mention, and succeeds for them.
  if (states.match(/^installed$/gm)?.length === wanted.length) return;
  copyFileSync('/etc/resolv.conf', join(chroot.root, 'etc/resolv.conf'));
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  for (const command of aptInstall(wanted, ['--no-install-recommends'])) {
    if ((await chroot.run(command, env)) !== 0) throw failed(command.join(' '));
  }
}

/** From npm, which this repository needs anyway: Debian 13 has Node 20. */
async function installNode(root: string): Promise<void> {
  if (existsSync(join(root, nodeFolder(), 'node'))) return;
  await execute(
    ...([
      'npm',
      'install',
      '--prefix',
      join(root, 'opt/node'),
      '--no-save',
      '--ignore-scripts',
    ] as const),
    ...['--no-audit', '--no-fund', `${nodePackage()}@${NODE_MAJOR}`],
  );
}

/** What the npm package `node` installs on this architecture by a script of its own. */
const nodePackage = (): string => `node-linux-${process.arch}`;
const nodeFolder = (): string => `/opt/node/node_modules/${nodePackage()}/bin`;

function enter(
  root: string,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onOutput?: (text: string) => void,
): Promise<number> {
  const lavapipe = '/usr/share/vulkan/icd.d/lvp_icd.json';
  const variables = {
    PATH: [nodeFolder(), '/usr/local/bin', '/usr/bin', '/usr/sbin', '/bin', '/sbin'].join(':'),
    HOME: '/root',
    LANG: 'C.UTF-8',
    XDG_CACHE_HOME: INSIDE.cache,
    // The old name and the new one: a loader reads either, and they must not disagree.
    VK_ICD_FILENAMES: lavapipe,
    VK_DRIVER_FILES: lavapipe,
    HICACHE_VULKAN: 'lavapipe',
    ...env,
  };
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const shell = ['sh', '-c', ENTER, 'sh', root, REPOSITORY, tmpdir(), ...assignments, ...command];
  return new Promise((resolve, reject) => {
    const child = spawn('unshare', ['--mount', '--propagation', 'private', ...shell], {
      stdio: onOutput ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    });
    child.stdout?.setEncoding('utf8').on('data', onOutput!);
    child.stderr?.setEncoding('utf8').on('data', onOutput!);
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? 1));
  });
}

async function execute(...command: Command): Promise<void> {
  if (!(await runAll([command], console.log))) throw failed(command.join(' '));
}

/** Folders of the system's own programs are not in everybody's PATH. */
function findDebootstrap(): string | undefined {
  const PATH = [process.env.PATH ?? '', '/usr/sbin', '/sbin'].join(delimiter);
  return programInPath(['debootstrap'], { PATH });
}

function missing(need: string, found: string): AppError {
  return new AppError(
    'internal',
    `The half-precision GPU for tests cannot be made here. ${need}; ${found}`,
    'Run it as root on Linux, with debootstrap installed or apt to install it, in a container that may mount.',
  );
}

function failed(command: string): AppError {
  return new AppError('internal', `This failed: ${command}`, 'The lines above say why.');
}
