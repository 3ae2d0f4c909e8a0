/** An external data file of tensors, written unit by unit, with a journal to go on by. */
import type { FileHash } from '../../bundle/file-hash.ts';
import type { WritableFolder } from '../../bundle/folder.ts';
import type { StoredTensor } from '../graphs/builder.ts';
import { appendLine, type Unit } from './journal.ts';

/** WebGPU and memory mapping both want tensors to begin at such positions. */
const ALIGNMENT = 64;

/** Written between two lines of the journal: what a stop costs at most, and how rarely disks wait. */
const COMMIT_BYTES = 32 * 2 ** 20;

const ELEMENT_BYTES = { float32: 4, float16: 2, int32: 4, int64: 8, uint8: 1 } as const;

/** Where a unit's tensors go. */
export interface TensorWriter {
  /** Appends a tensor, of which `content` gives all bytes in order. */
  tensor(
    name: string,
    type: StoredTensor['type'],
    shape: readonly number[],
    content: AsyncIterable<ArrayBufferView> | Iterable<ArrayBufferView>,
  ): Promise<void>;
}

export class DataFile {
  private readonly known: Map<string, Unit>;
  /** Units since the last line of the journal. */
  private pending: Unit[] = [];
  private size: number;
  private committed: number;

  /**
   * @param hash of what the file has already
   * @param units that it has already
   */
  constructor(
    private readonly folder: WritableFolder,
    readonly path: string,
    private readonly hash: FileHash,
    units: readonly Unit[],
    private readonly commitBytes = COMMIT_BYTES,
  ) {
    this.known = new Map(units.map((unit) => [unit.key, unit]));
    this.size = this.committed = hash.hashes().bytes;
  }

  /**
   * The unit `key`: what the file has of an earlier start, or else what `write` makes of it. What
   * `write` returns is kept with it.
   */
  async unit(
    key: string,
    write: (writer: TensorWriter) => Promise<Unit['error'] | undefined>,
  ): Promise<Unit> {
    const known = this.known.get(key);
    if (known) return known;
    const tensors: StoredTensor[] = [];
    const error = await write({
      tensor: async (name, type, shape, content) => {
        tensors.push(await this.append(name, type, shape, content));
      },
    });
    const unit: Unit = {
      key,
      tensors: tensors.map((tensor) => ({ ...tensor, shape: [...tensor.shape] })),
      ...(error ? { error } : {}),
    };
    this.known.set(key, unit);
    this.pending.push(unit);
    if (this.size - this.committed >= this.commitBytes) await this.commit();
    return unit;
  }

  /** Makes everything so far safe from a crash. */
  async commit(): Promise<void> {
    if (this.pending.length === 0) return;
    const { bytes, sha256 } = this.hash.hashes();
    await appendLine(this.folder, { file: this.path, units: this.pending, bytes, sha256 });
    this.pending = [];
    this.committed = bytes;
  }

  private async append(
    name: string,
    type: StoredTensor['type'],
    shape: readonly number[],
    content: AsyncIterable<ArrayBufferView> | Iterable<ArrayBufferView>,
  ): Promise<StoredTensor> {
    const padding = (ALIGNMENT - (this.size % ALIGNMENT)) % ALIGNMENT;
    if (padding > 0) await this.write(new Uint8Array(padding));
    const offset = this.size;
    for await (const { buffer, byteOffset, byteLength } of content) {
      await this.write(new Uint8Array(buffer, byteOffset, byteLength));
    }
    const bytes = shape.reduce((product, size) => product * size, ELEMENT_BYTES[type]);
    if (this.size - offset !== bytes) {
      throw new RangeError(`${name}: ${this.size - offset} bytes were written, not ${bytes}`);
    }
    return { name, type, shape, location: this.path, offset, bytes };
  }

  private async write(bytes: Uint8Array): Promise<void> {
    this.hash.update(bytes);
    await this.folder.append(this.path, bytes);
    this.size += bytes.length;
  }
}
