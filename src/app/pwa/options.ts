/** How the build makes the service worker and the web app manifest. */
import type { VitePWAOptions } from 'vite-plugin-pwa';

export const pwa: Partial<VitePWAOptions> = {
  strategies: 'injectManifest',
  srcDir: 'src/app/pwa',
  filename: 'service-worker.ts',
  injectRegister: false,
  injectManifest: {
    rollupFormat: 'iife',
    globPatterns: ['**/*'],
    // ONNX Runtime's builds are on the list too; which of them are kept, runtimes.ts says.
    maximumFileSizeToCacheInBytes: 40 * 2 ** 20,
  },
  manifest: {
    name: 'HiCache Studio',
    short_name: 'HiCache',
    description: 'Pictures from text in your browser, on your own GPU.',
    start_url: './',
    scope: './',
    display: 'standalone',
    categories: ['graphics', 'photo'],
    // The page's colours by day; index.html has those by night.
    theme_color: '#f5f4f0',
    background_color: '#f5f4f0',
    icons: [
      { src: 'icons/icon.svg', sizes: 'any', type: 'image/svg+xml' },
      { src: 'icons/icon-192.png', sizes: '192x192', type: 'image/png' },
      { src: 'icons/icon-512.png', sizes: '512x512', type: 'image/png' },
      {
        src: 'icons/maskable-512.png',
        sizes: '512x512',
        type: 'image/png',
        purpose: 'maskable',
      },
    ],
  },
};
