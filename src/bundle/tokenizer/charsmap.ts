/**
 * SentencePiece's precompiled character map: which short texts a T5 tokenizer replaces by which
 * before it looks for pieces. The bytes are the length of a trie, the trie, and the replacements,
 * each ended by a zero. The trie is a Darts double array over UTF-8: the unit of a text's next byte
 * lies at the offset of the unit before it, XOR that byte.
 *
 * Reference: the Precompiled normalizer of Hugging Face's tokenizers, which FLUX pipelines run. It
 * looks up user-perceived characters of up to five bytes as a whole, then single code points, and
 * takes the shortest text that the trie knows; so a letter loses a combining mark that it has no
 * entry with. SentencePiece itself takes the longest, and keeps the mark.
 */

/** Longer clusters, such as most emoji, are looked up code point by code point. */
const LONGEST_CLUSTER = 5;

export class Charsmap {
  private readonly trie: Uint32Array;
  private readonly replacements: Uint8Array;
  private readonly clusters = new Intl.Segmenter('und', { granularity: 'grapheme' });
  private readonly encoder = new TextEncoder();
  private readonly decoder = new TextDecoder();

  /** @throws RangeError if the bytes are not a character map. */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = view.getUint32(0, true);
    if (length === 0 || length % 4 !== 0 || length > bytes.length - 4) {
      throw new RangeError(`a character map of ${bytes.length} bytes has no trie of ${length}`);
    }
    this.trie = Uint32Array.from({ length: length / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
    this.replacements = bytes.subarray(4 + length);
  }

  normalize(text: string): string {
    let normalized = '';
    for (const { segment } of this.clusters.segment(text)) {
      normalized += this.replacement(segment, LONGEST_CLUSTER) ?? this.byCodePoint(segment);
    }
    return normalized;
  }

  private byCodePoint(cluster: string): string {
    let normalized = '';
    for (const char of cluster) normalized += this.replacement(char, Infinity) ?? char;
    return normalized;
  }

  private replacement(text: string, longest: number): string | undefined {
    const key = this.encoder.encode(text);
    if (key.length > longest) return undefined;
    const start = this.find(key);
    if (start === undefined) return undefined;
    const end = this.replacements.indexOf(0, start);
    return this.decoder.decode(this.replacements.subarray(start, end < 0 ? undefined : end));
  }

  /** Where the replacement of the shortest known beginning of `key` starts. */
  private find(key: Uint8Array): number | undefined {
    let node = offsetOf(this.trie[0]!);
    for (const byte of key) {
      if (byte === 0) return undefined;
      node ^= byte;
      const unit = this.trie[node];
      if (unit === undefined || labelOf(unit) !== byte) return undefined;
      node ^= offsetOf(unit);
      if (hasLeaf(unit)) return valueOf(this.trie[node] ?? 0);
    }
    return undefined;
  }
}

/** Distance to the unit's children, in units; bit 9 says that it is counted in 256s. */
function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

/** The byte that leads to the unit; of a leaf no byte, because its highest bit is set. */
function labelOf(unit: number): number {
  return (unit & 0x800000ff) >>> 0;
}

function hasLeaf(unit: number): boolean {
  return (unit & 0x100) !== 0;
}

function valueOf(unit: number): number {
  return unit & 0x7fffffff;
}
