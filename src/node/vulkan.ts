/**
 * Which Vulkan driver WebGPU in Node runs on under Linux. `HICACHE_VULKAN` names one, so that an
 * installed package never changes what tests run on; without it the machine's own GPU is used.
 */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { AppError } from '../shared/errors.ts';

export const VULKAN_NAMES = ['system', 'swiftshader', 'lavapipe'] as const;
export type VulkanName = (typeof VULKAN_NAMES)[number];

export interface VulkanDriver {
  readonly name: VulkanName;
  /** Its manifest, for the Vulkan loader; undefined where the loader finds drivers itself. */
  readonly manifest?: string;
  /** For people: which it is and why. */
  readonly words: string;
}

type Env = Readonly<Record<string, string | undefined>>;

const SWIFTSHADER = 'vk_swiftshader_icd.json';
/** Where packages of Chromium and Chrome lie, which bring SwiftShader along. */
const BROWSERS = [
  '/usr/lib/chromium',
  '/usr/lib/chromium-browser',
  '/usr/lib64/chromium-browser',
  '/opt/google/chrome',
];

/**
 * The driver that `HICACHE_VULKAN` names. Without it, what is configured or installed; SwiftShader
 * only where there is nothing of the kind.
 *
 * @param root in which all absolute paths are looked for; a test's own folder
 * @throws AppError `bad-request` for a name that there is none of, `not-found` for one that is not
 *   installed.
 */
export function chooseVulkan(
  env: Env = process.env,
  platform: NodeJS.Platform = process.platform,
  root = '/',
): VulkanDriver {
  const name = env.HICACHE_VULKAN ?? '';
  switch (name) {
    case '':
      return usualDriver(env, platform, root);
    case 'system':
      return { name, words: "the system's, as HICACHE_VULKAN asks" };
    case 'swiftshader': {
      const manifest = findSwiftShader(env, root);
      if (!manifest) throw notInstalled('SwiftShader', 'Chromium, which brings it');
      return { name, manifest, words: `SwiftShader (${manifest}), as HICACHE_VULKAN asks` };
    }
    case 'lavapipe': {
      const manifest = installedManifests(env, root).find((path) => /\/lvp_icd[^/]*$/.test(path));
      if (!manifest) throw notInstalled('lavapipe', "Mesa's Vulkan drivers (mesa-vulkan-drivers)");
      return { name, manifest, words: `lavapipe (${manifest}), as HICACHE_VULKAN asks` };
    }
    default:
      throw new AppError(
        'bad-request',
        `HICACHE_VULKAN cannot be "${name}".`,
        `It is one of ${VULKAN_NAMES.join(', ')}.`,
      );
  }
}

function usualDriver(env: Env, platform: NodeJS.Platform, root: string): VulkanDriver {
  const name = 'system';
  if (platform !== 'linux') return { name, words: "the system's" };
  const configured = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'].find((variable) => env[variable]);
  if (configured) return { name, words: `${env[configured]!}, as ${configured} asks` };
  if (installedManifests(env, root).length > 0) return { name, words: "the system's" };
  const manifest = findSwiftShader(env, root);
  if (!manifest) return { name, words: "the system's, of which none is installed" };
  const words = `SwiftShader (${manifest}), since the system has no other`;
  return { name: 'swiftshader', manifest, words };
}

function findSwiftShader(env: Env, root: string): string | undefined {
  const chromium = env.CHROMIUM_PATH;
  const beside = chromium && existsSync(chromium) ? [dirname(realpathSync(chromium))] : [];
  return [...beside, ...BROWSERS.map((folder) => join(root, folder))]
    .map((folder) => join(folder, SWIFTSHADER))
    .find((path) => existsSync(path));
}

/** All drivers that the Vulkan loader would find, in its order of folders. */
function installedManifests(env: Env, root: string): string[] {
  const home = env.HOME ?? homedir();
  const listed = (value: string | undefined, otherwise: string) =>
    (value ?? otherwise).split(delimiter);
  const bases = [
    env.XDG_CONFIG_HOME ?? join(home, '.config'),
    ...listed(env.XDG_CONFIG_DIRS, '/etc/xdg'),
    '/etc',
    env.XDG_DATA_HOME ?? join(home, '.local/share'),
    ...listed(env.XDG_DATA_DIRS, '/usr/local/share:/usr/share'),
  ];
  return bases.flatMap((base) => {
    const folder = join(root, base, 'vulkan/icd.d');
    const names = existsSync(folder) ? readdirSync(folder).sort() : [];
    return names.filter((name) => name.endsWith('.json')).map((name) => join(folder, name));
  });
}

function notInstalled(driver: string, packages: string): AppError {
  return new AppError(
    'not-found',
    `HICACHE_VULKAN asks for ${driver}, which is not installed.`,
    `Install ${packages}, or set HICACHE_VULKAN=system for the machine's own GPU.`,
  );
}
