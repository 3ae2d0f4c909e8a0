import js from '@eslint/js';
import vitest from '@vitest/eslint-plugin';
import tseslint from 'typescript-eslint';

/**
 * The data flow of the product, one way (see CONTRIBUTING.md): files of a room may not import
 * what `group` matches; a pattern with `!` makes an exception.
 */
function room(files, group, message, ignores = []) {
  return {
    files,
    ignores,
    rules: { 'no-restricted-imports': ['error', { patterns: [{ group, message }] }] },
  };
}

/** Files of the worker room that the page loads. */
const PAGE_SIDE = [
  'src/workers/engine/client.ts',
  'src/workers/library/client.ts',
  'src/workers/start.ts',
  'src/workers/engine/api.ts',
  'src/workers/library/api.ts',
  'src/workers/rpc.ts',
];

export default tseslint.config(
  { ignores: ['dist', 'training', 'public', 'src/bundle/proto/*_pb.ts'] },
  js.configs.recommended,
  tseslint.configs.strict,
  tseslint.configs.stylistic,
  {
    files: ['**/*.{ts,tsx}'],
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-console': 'error',
    },
  },
  { files: ['cli/**', 'tests/**'], rules: { 'no-console': 'off' } },
  {
    // What an assertion that asserts nothing, or a test that never runs, looks like.
    files: ['tests/**/*.test.{ts,tsx}'],
    plugins: { vitest },
    rules: {
      'vitest/valid-expect': ['error', { maxArgs: 2 }],
      'vitest/valid-expect-in-promise': 'error',
      'vitest/no-focused-tests': 'error',
      'vitest/no-disabled-tests': 'error',
      'vitest/no-identical-title': 'error',
    },
  },
  {
    files: ['src/forecast/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '^(?!\\./)', message: 'cache/ is pure mathematics and imports nothing.' },
          ],
        },
      ],
    },
  },
  room(
    ['src/app/**', 'src/app/pwa/**', 'src/main.ts'],
    [
      '**/worker/*',
      '!**/worker/client.ts',
      '!**/worker/api.ts',
      '!**/worker/library-client.ts',
      '!**/worker/library-api.ts',
      '**/pipeline/**',
      '**/backend/**',
      '**/bundle/**',
      '**/onnx/**',
    ],
    'The page reaches the engine and the stored models only through their clients.',
  ),
  room(
    PAGE_SIDE,
    ['../ui/**', '../onnx/**', './index.ts', './library.ts', './host.ts', 'onnxruntime-web*'],
    'Page-side files load no engine code.',
  ),
  room(
    ['src/workers/**'],
    ['../ui/**', '../onnx/**'],
    'The engine knows nothing of the page, and makes no bundles.',
    [...PAGE_SIDE, 'src/workers/library/worker.ts', 'src/workers/library/import.ts'],
  ),
  room(
    ['src/workers/library/worker.ts', 'src/workers/library/import.ts'],
    ['../ui/**', '../pipeline/**', 'onnxruntime-web*'],
    'The worker that keeps models runs none.',
  ),
  room(
    ['src/sampling/**'],
    [
      '../ui/**',
      '../worker/**',
      '!../worker/api.ts',
      '../onnx/**',
      '../backend/**',
      '!../backend/backend.ts',
      'onnxruntime-web*',
    ],
    'The pipeline drives the backend interface and sees no GPU or ONNX Runtime type.',
  ),
  room(
    ['src/runtime/**'],
    [
      '../ui/**',
      '../../ui/**',
      '../worker/**',
      '../../worker/**',
      '!../worker/api.ts',
      '../pipeline/**',
      '../../pipeline/**',
      '../onnx/**',
      '../../onnx/**',
      // What quantized blocks are, and what a conversion asks of a quantizer.
      '!../../onnx/quantize.ts',
      '!../../onnx/quantizer.ts',
      // How to read float16 graphs that earlier versions wrote.
      '!../../onnx/half-clip.ts',
    ],
    'Backends are below the pipeline.',
  ),
  room(
    ['src/bundle/**', 'src/convert/**'],
    ['**/ui/**', '**/worker/**', '**/pipeline/**', '**/backend/**', 'onnxruntime-web*'],
    'Bundles and graphs are below everything that runs them.',
  ),
);
