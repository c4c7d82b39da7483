// One flat config for the whole repository. The import rules come from layers.js; nothing about who may import
// whom is written here by hand.
import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';
import { layers } from './layers.js';

const root = new URL('../..', import.meta.url).pathname;
const packages = Object.keys(layers);

/** The import restrictions of one package's `src/`. */
function importRule(name) {
  const { kind, imports, libraries } = layers[name];
  const escape = (text) => text.replace(/[/.]/g, '\\$&');
  const own = packages.filter((other) => !imports.includes(other));
  const patterns = [
    {
      regex: `^@tidemark/(${own.join('|')})(/|$)`,
      message: `${name} may import only: ${imports.join(', ') || 'nothing'} (packages/tooling/layers.js).`,
    },
    { regex: '^@tidemark/[^/]+/', message: 'No deep imports: use the package index.' },
    { regex: '^(\\.\\./)+[^.]*/(src|dist)/', message: 'No imports across packages by path.' },
  ];
  const allowed = ['\\.', '@tidemark/', ...libraries.map((library) => `${escape(library)}(/|$)`)];
  if (kind === 'edge' || kind === 'dev') allowed.push('node:');
  patterns.push({
    regex: `^(?!${allowed.join('|')})`,
    message: `${name} (${kind}) may use only these libraries: ${libraries.join(', ') || 'none'}.`,
  });
  return { patterns };
}

const noWorld = [
  { object: 'Date', property: 'now', message: 'Time arrives as an argument or through the Clock port.' },
  { object: 'Math', property: 'random', message: 'Random numbers come from the Prng port.' },
  {
    object: 'performance',
    property: 'now',
    message: 'Time arrives as an argument or through the Clock port.',
  },
];
const noDate = {
  selector: "NewExpression[callee.name='Date'][arguments.length=0]",
  message: 'Time arrives as an argument or through the Clock port.',
};
const noPromises = [
  { selector: ':function[async=true]', message: 'PURE packages are synchronous.' },
  { selector: 'AwaitExpression', message: 'PURE packages are synchronous.' },
  { selector: "NewExpression[callee.name='Promise']", message: 'PURE packages are synchronous.' },
];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/generated/**', '**/node_modules/**', 'coverage/**'] },
  {
    files: ['**/*.js'],
    extends: [eslint.configs.recommended],
    languageOptions: { globals: { process: 'readonly', URL: 'readonly', console: 'readonly' } },
  },
  {
    files: ['**/*.ts'],
    extends: [eslint.configs.recommended, ...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['packages/*/tsconfig.json', 'packages/tooling/tsconfig.test.json'],
        tsconfigRootDir: root,
      },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // Typed-array access in the codecs is bounds-checked by the caller, and says so where it is.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/prefer-literal-enum-member': 'off',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      'max-lines': ['error', { max: 600, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 110, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a union or a const object.' },
      ],
    },
  },
  ...packages.map((name) => {
    const { kind } = layers[name];
    const rules = { 'no-restricted-imports': ['error', importRule(name)] };
    if (kind === 'pure' || kind === 'ports') {
      rules['no-restricted-properties'] = ['error', ...noWorld];
      rules['no-restricted-syntax'] = ['error', noDate, ...(kind === 'pure' ? noPromises : [])];
      rules['no-restricted-globals'] = [
        'error',
        'setTimeout',
        'setInterval',
        'setImmediate',
        'process',
        'Buffer',
        'fetch',
      ];
    }
    return { files: [`packages/${name}/src/**/*.ts`], rules };
  }),
  {
    files: ['**/test/**/*.ts', 'packages/tooling/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 900, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
);
