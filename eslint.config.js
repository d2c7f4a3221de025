import { defineConfig, globalIgnores } from 'eslint/config';
import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';
import svelteConfig from './src-renderer/svelte.config.js';

/** What the language itself offers and a protocol may not touch: every one of them breaks replay from a seed. */
const impureGlobals = [
  'Date',
  'Promise',
  'WeakRef',
  'FinalizationRegistry',
  'Atomics',
  'SharedArrayBuffer',
  'Intl',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'queueMicrotask',
  'performance',
  'crypto',
  'process',
  'console',
  'fetch',
  'globalThis',
  'Buffer',
].map((name) => ({
  name,
  message: 'core is a function of its inputs: time, randomness and results come in as inputs.',
}));

const impureSyntax = [
  [
    'FunctionDeclaration[async=true], FunctionExpression[async=true], ArrowFunctionExpression[async=true]',
    'async functions',
  ],
  ['AwaitExpression', 'await'],
  ['ForOfStatement[await=true]', 'for await'],
  ['ImportExpression', 'dynamic imports'],
  [
    'TSTypeReference[typeName.name=/^(Promise|PromiseLike|WeakRef|Date)$/]',
    'promises, weak references and dates as types',
  ],
  [
    'CallExpression[callee.property.name=/^(localeCompare|toLocaleString|toLocaleLowerCase|toLocaleUpperCase)$/]',
    'locale-sensitive calls',
  ],
].map(([selector, what]) => ({ selector, message: `core has no ${what}: what happens later arrives as an input.` }));

export default defineConfig(
  globalIgnores([
    '**/vite.config.ts',
    'out/',
    'dist/',
    '.toolchain/',
    '.cache/',
    'node_modules/',
    'test-results/',
    'test/fixtures/',
  ]),
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error', noInlineConfig: true },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/ban-ts-comment': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      'no-debugger': 'error',
      'no-empty': ['error', { allowEmptyCatch: false }],
      'no-eval': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['src-main/core/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...impureGlobals],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'draw from the seeded Random that the machine was given.' },
      ],
      'no-restricted-syntax': ['error', ...impureSyntax],
    },
  },
  {
    files: ['src-renderer/**/*.svelte', 'src-renderer/**/*.svelte.ts'],
    extends: [...svelte.configs.recommended],
    // Components without types: svelte-check has them, and a second kind of file makes the typed linter load all anew.
    languageOptions: { parserOptions: { parser: tseslint.parser, svelteConfig } },
    rules: {
      // These classes parse an address once; nothing on the screen changes with them.
      'svelte/prefer-svelte-reactivity': 'off',
      'svelte/no-at-html-tags': 'error',
      // Pages are same-origin fragments of one file; there is no base path to resolve.
      'svelte/no-navigation-without-resolve': 'off',
    },
  },
);
