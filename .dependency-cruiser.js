/** Lint for what ESLint does not see: circles of imports, those of types included. */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Move what both files need into a third one, below them.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.tools.json' },
    doNotFollow: { path: 'node_modules' },
  },
};
