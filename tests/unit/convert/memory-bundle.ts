/** A conversion's folder in memory, and what it holds. */
import { opfsFolder } from '../../../src/bundle/store/opfs-folder.ts';
import { MemoryFolder, MemoryStorage } from '../support/opfs.ts';

export class MemoryBundle {
  readonly storage = new MemoryStorage();

  /** Opens it, the first time or again after a crash. */
  open() {
    return opfsFolder(this.storage.root);
  }

  /** Every file by its path. */
  files(): Map<string, Uint8Array> {
    return new Map(filesIn(this.storage.root, ''));
  }
}

function* filesIn(folder: MemoryFolder, prefix: string): Generator<[string, Uint8Array]> {
  for (const [name, item] of folder.items) {
    if (item instanceof MemoryFolder) yield* filesIn(item, `${prefix}${name}/`);
    else yield [prefix + name, item.content];
  }
}
