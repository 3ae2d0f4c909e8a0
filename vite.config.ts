import preact from '@preact/preset-vite';
import { defaultClientConditions, defineConfig } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { pwa } from './src/app/pwa/options.ts';

/** Cross-origin isolation: without it a page gets no shared memory, and wasm no threads. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Many static hosts do not know that `.mjs` is JavaScript, and browsers insist on it. */
const output = {
  assetFileNames: ({ names }: { names: string[] }) =>
    names[0]?.endsWith('.mjs') ? 'assets/[name]-[hash].js' : 'assets/[name]-[hash][extname]',
};

export default defineConfig({
  // Addresses relative to the page, so that any folder of any host can hold it.
  base: './',
  // A file that is not there is a 404, not the page.
  appType: 'mpa',
  plugins: [preact(), VitePWA(pwa)],
  resolve: {
    // ONNX Runtime without its loader inside: the worker says where loader and wasm are.
    conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
  },
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  worker: { format: 'es', rolldownOptions: { output } },
  build: { target: 'esnext', assetsInlineLimit: 0, rolldownOptions: { output } },
  server: { headers },
  preview: { headers },
});
