/** The finished picture as a PNG file. */
import type { Finished } from './state.ts';

export async function downloadPicture({ request, result }: Finished): Promise<void> {
  const canvas = new OffscreenCanvas(result.width, result.height);
  const image = new ImageData(result.pixels, result.width, result.height);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  const url = URL.createObjectURL(await canvas.convertToBlob({ type: 'image/png' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `${fileName(request.prompt)}-${request.seed}.png`;
  link.click();
  // The browser reads the address when the click has been handled.
  setTimeout(() => URL.revokeObjectURL(url));
}

function fileName(prompt: string): string {
  const words = prompt.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.slice(0, 8).join('-') || 'picture';
}
