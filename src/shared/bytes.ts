/** Such as `12 kB`, `11.3 MB`, `6.80 GB`, `214 GB`: amounts of memory and of storage in messages. */
export function bytesInWords(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  if (bytes < 999.95e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(bytes < 99.995e9 ? 2 : 0)} GB`;
}
