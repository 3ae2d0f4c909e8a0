/** What can be taken away from a finished picture. */
import type { Finished } from '../state.ts';

export async function downloadPicture({ request, result }: Finished): Promise<void> {
  const canvas = new OffscreenCanvas(result.width, result.height);
  const image = new ImageData(result.pixels, result.width, result.height);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  save(await canvas.convertToBlob({ type: 'image/png' }), `${fileName(request)}.png`);
}

/** What the run did and took, in the same form as the command line's stats file. */
export function downloadStats({ request, result }: Finished): void {
  const text = JSON.stringify(result.stats, null, 2);
  save(new Blob([text], { type: 'application/json' }), `${fileName(request)}.json`);
}

function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser reads the address when the click has been handled.
  setTimeout(() => URL.revokeObjectURL(link.href));
}

function fileName({ prompt, seed }: Finished['request']): string {
  const words = prompt.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...words.slice(0, 8), seed].join('-');
}
