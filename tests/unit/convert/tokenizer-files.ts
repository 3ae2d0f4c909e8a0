/** Tokenizer files for tests, from the goldens and in memory. */
import { readFileSync } from 'node:fs';
import { MemoryFiles } from './memory.ts';

/** A file of tests/golden/tokenizers/. */
export function golden(name: string): Buffer {
  return readFileSync(new URL(`../../golden/tokenizers/${name}`, import.meta.url));
}

export function memoryOf(files: Record<string, Uint8Array | string>): MemoryFiles {
  const memory = new MemoryFiles();
  for (const [path, content] of Object.entries(files)) {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    memory.files.set(path, bytes);
  }
  return memory;
}
