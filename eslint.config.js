import js from '@eslint/js';
import vitest from '@vitest/eslint-plugin';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/**
 * The data flow of the product, one way (see CONTRIBUTING.md): what the files of each room may
 * import of other rooms, types included. `cli`, `scripts` and `tests` may import anything.
 */
const ROOMS = {
  'main.ts': ['app'],
  'workers/rpc.ts': [],
  'workers/start.ts': [],
  shared: [],
  forecast: [],
  gpu: [],
  bundle: ['forecast'],
  prompt: ['bundle'],
  convert: ['bundle', 'gpu'],
  runtime: ['bundle', 'forecast', 'gpu'],
  sampling: ['bundle', 'forecast', 'prompt', 'runtime/backend.ts', 'runtime/info.ts'],
  'workers/engine': [
    ...['workers/rpc.ts', 'workers/start.ts'],
    ...['bundle', 'forecast', 'prompt', 'runtime', 'sampling'],
  ],
  'workers/library': ['workers/rpc.ts', 'workers/start.ts', 'bundle', 'convert', 'gpu'],
  app: [
    ...['workers/engine/api.ts', 'workers/engine/client.ts'],
    ...['workers/library/api.ts', 'workers/library/client.ts'],
    'forecast',
  ],
  node: ['bundle', 'convert', 'gpu', 'runtime'],
};

const ZONES = Object.entries(ROOMS).map(([room, allowed]) => ({
  target: `./src/${room}`,
  from: './src',
  except: [room, ...allowed, ...(room === 'shared' ? [] : ['shared'])].map((path) => `./${path}`),
  message: `src/${room} imports only ${['shared', ...allowed].join(', ')}.`,
}));

/** Files of the workers that the page loads. */
const PAGE_SIDE = [
  'src/workers/*.ts',
  ...['engine', 'library'].map((worker) => `src/workers/${worker}/{api,client}.ts`),
];

const ONNX_RUNTIME = {
  group: ['onnxruntime-web*'],
  message: 'Only src/runtime runs ONNX Runtime.',
};

/** No import that matches a pattern. */
const refuse = (files, ...patterns) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});

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
  { files: ['cli/**', 'scripts/**', 'tests/**'], rules: { 'no-console': 'off' } },
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
    files: ['src/**/*.{ts,tsx}'],
    plugins: { 'import-x': importX },
    settings: {
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts', '.tsx'] },
      'import-x/resolver-next': [createTypeScriptImportResolver({ project: [] })],
    },
    rules: {
      'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones: ZONES }],
    },
  },
  refuse(
    ['src/{shared,gpu,bundle,prompt,convert,sampling}/**', 'src/workers/library/**'],
    ONNX_RUNTIME,
  ),
  refuse(PAGE_SIDE, ONNX_RUNTIME, {
    group: ['./*-worker.ts', './host.ts', './import.ts'],
    message: 'Page-side files load no code of the workers.',
  }),
  refuse(['src/forecast/**'], {
    regex: '^[^.]',
    message: 'forecast/ is pure mathematics and imports no package.',
  }),
);
