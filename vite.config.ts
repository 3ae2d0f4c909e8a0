import preact from '@preact/preset-vite';
import { defaultClientConditions, defineConfig } from 'vite';

/** Cross-origin isolation: without it a page gets no shared memory, and wasm no threads. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  // Addresses relative to the page, so that any folder of any host can hold it.
  base: './',
  plugins: [preact()],
  resolve: {
    // ONNX Runtime without its loader inside: the worker says where loader and wasm are.
    conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
  },
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  worker: { format: 'es' },
  build: { target: 'esnext', assetsInlineLimit: 0 },
  server: { headers },
  preview: { headers },
});
