/** The files of a source, seen from the folder that holds the model. */
import { AppError } from '../../../shared/errors.ts';
import type { Source } from '../../files.ts';
import { TOKENIZER_PATHS } from '../../tokenizers/index.ts';
import { VOCABULARY } from '../vocabulary.ts';
import { FOLDERS, PREVIEW_FOLDERS, weightFiles } from './folders.ts';

export interface ModelFolder {
  readonly source: Source;
  /** Paths in `source`. */
  readonly files: ReadonlySet<string>;
}

/** What is looked for where files cannot be listed. */
const WELL_KNOWN = [
  'README.md',
  'bundle.json',
  'preview.json',
  VOCABULARY,
  'model_index.json',
  'scheduler/scheduler_config.json',
  ...TOKENIZER_PATHS,
  'tokenizer/tokenizer_config.json',
  'tokenizer_2/tokenizer_config.json',
  ...[...Object.values(FOLDERS), ...PREVIEW_FOLDERS].flatMap(({ folder, stem }) => [
    `${folder}/config.json`,
    ...weightFiles(folder, stem),
  ]),
];

/** @throws AppError `bad-checkpoint` if there are several diffusers folders. */
export async function modelFolder(source: Source): Promise<ModelFolder> {
  const listed = await source.list();
  if (listed.length === 0) return { source, files: await probed(source) };
  const root = rootOf(listed);
  const files = listed
    .filter((path) => path.startsWith(root))
    .map((path) => path.slice(root.length));
  return { source: root === '' ? source : inside(source, root), files: new Set(files) };
}

async function probed(source: Source): Promise<ReadonlySet<string>> {
  const found = await Promise.all(WELL_KNOWN.map((path) => source.has(path)));
  const files = WELL_KNOWN.filter((_, i) => found[i]);
  // Lets the source say itself why nothing can be had.
  if (files.length === 0) await source.size('transformer/config.json');
  return new Set(files);
}

/** The folder with a diffusers pipeline, with a slash behind; the top if there is none. */
function rootOf(paths: readonly string[]): string {
  const roots = new Set<string>();
  for (const path of paths) {
    const match = /^(|.*\/)(?:model_index\.json|transformer\/config\.json)$/.exec(path);
    if (match) roots.add(match[1]!);
  }
  if (roots.size < 2 || roots.has('')) return roots.has('') ? '' : ([...roots][0] ?? '');
  throw new AppError(
    'bad-checkpoint',
    `There are several models: ${[...roots].sort().join(', ')}.`,
    'Choose the folder of one of them.',
  );
}

function inside(source: Source, root: string): Source {
  return {
    ...(source.name !== undefined && { name: source.name }),
    async list() {
      const paths = await source.list();
      return paths.filter((path) => path.startsWith(root)).map((path) => path.slice(root.length));
    },
    has: (path) => source.has(root + path),
    size: (path) => source.size(root + path),
    read: (path, offset, length) => source.read(root + path, offset, length),
  };
}
