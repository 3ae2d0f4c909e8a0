/** Several sources as one: single files from different places make a model together. */
import { AppError } from '../../errors.ts';
import type { Source } from '../files.ts';

/** A path that several have is the first one's. */
export function combined(sources: readonly Source[]): Source {
  const [only, ...others] = sources;
  if (only && others.length === 0) return only;
  const holder = async (path: string): Promise<Source> => {
    for (const source of sources) {
      if (await source.has(path)) return source;
    }
    throw new AppError('not-found', `${path} does not exist.`, 'Check the sources.');
  };
  const name = sources.map((source) => source.name).find((found) => found !== undefined);
  return {
    ...(name === undefined ? {} : { name }),
    async list() {
      const lists = await Promise.all(sources.map((source) => source.list()));
      return [...new Set(lists.flat())];
    },
    async has(path) {
      const found = await Promise.all(sources.map((source) => source.has(path)));
      return found.includes(true);
    },
    size: async (path) => (await holder(path)).size(path),
    read: async (path, offset, length) => (await holder(path)).read(path, offset, length),
  };
}
