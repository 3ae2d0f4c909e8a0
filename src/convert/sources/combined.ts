/** Several sources as one: single files from different places make a model together. */
import { AppError } from '../../shared/errors.ts';
import type { Source } from '../files.ts';
import { Memo } from './memo.ts';

/** A file of one of the sources. */
interface Place {
  readonly source: Source;
  readonly path: string;
}

/**
 * A path that several have is the first one's. But single files often have the same name, as from
 * two folders of diffusers: the second source's is then `2/NAME`.
 */
export function combined(sources: readonly Source[]): Source {
  const [only, ...others] = sources;
  if (only && others.length === 0) return only;
  const places = new Memo<ReadonlyMap<string, Place>>();
  const listed = (): Promise<ReadonlyMap<string, Place>> =>
    places.get('all', () => placesIn(sources));
  const find = async (path: string): Promise<Place | undefined> => {
    const place = (await listed()).get(path);
    if (place) return place;
    for (const source of sources) {
      if (await source.has(path)) return { source, path };
    }
    return undefined;
  };
  const found = async (path: string): Promise<Place> => {
    const place = await find(path);
    if (place) return place;
    throw new AppError('not-found', `${path} does not exist.`, 'Check the sources.');
  };
  const name = sources.map((source) => source.name).find((given) => given !== undefined);
  return {
    ...(name === undefined ? {} : { name }),
    list: async () => [...(await listed()).keys()],
    has: async (path) => (await find(path)) !== undefined,
    async size(path) {
      const place = await found(path);
      return place.source.size(place.path);
    },
    async read(path, offset, length) {
      const place = await found(path);
      return place.source.read(place.path, offset, length);
    },
  };
}

/**
 * What is listed goes before what is only there: a single file's source also knows the files around
 * it, which nobody gave.
 */
async function placesIn(sources: readonly Source[]): Promise<ReadonlyMap<string, Place>> {
  const lists = await Promise.all(sources.map((source) => source.list()));
  const places = new Map<string, Place>();
  for (const [i, source] of sources.entries()) {
    const paths = lists[i]!;
    for (const path of paths) {
      const as = paths.length === 1 && places.has(path) ? `${i + 1}/${path}` : path;
      if (!places.has(as)) places.set(as, { source, path });
    }
  }
  return places;
}
