import { resolve } from 'node:path';
import { defineConfig, globalIgnores } from 'eslint/config';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';
import house from './boundaries.js';

const root = resolve(import.meta.dirname, '..');

/** A synchronous read of a GPU tensor ends the browser's GPU process; there is an asynchronous one for each. */
const SYNCHRONOUS_READS = ['dataSync', 'arraySync'].map((property) => ({
  property,
  message: 'A synchronous read of a GPU tensor kills the GPU instance: await data() or array().',
}));

export default defineConfig(
  globalIgnores(['node_modules/', 'dist/', '.cache/', '.gpu/', 'public/', 'e2e/artefacts/', 'src/training/wasm/assembly/']),
  ...tseslint.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/parameter-properties': 'error',
    },
  },
  {
    files: ['**/*.{ts,tsx,js,mjs}'],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'prefer-const': 'error',
      'no-restricted-properties': ['error', ...SYNCHRONOUS_READS],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file that defines it.' },
        { selector: 'TSEnumDeclaration', message: 'Use a union of string literals.' },
      ],
    },
  },
  {
    files: ['src/**/*.{ts,tsx,mjs}'],
    rules: { 'max-lines': ['error', 400] },
  },
  {
    files: ['src/**/*.{ts,tsx,mjs}'],
    ignores: ['src/**/*.test.{ts,tsx}'],
    plugins: { house },
    rules: { 'house/boundaries': 'error' },
  },
  {
    files: ['src/app/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': reactHooks },
    rules: { 'react-hooks/rules-of-hooks': 'error', 'react-hooks/exhaustive-deps': 'error' },
  },
);
