// The rules that matter here are lint rules: which way imports run, who may spawn, who may open a
// database, where time and the environment come in. See ARCHITECTURE.md.
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'
import importX from 'eslint-plugin-import-x'

const up = (target, from, message) => ({ target, from, message })
const only = (name, message) => ({ name, message })
const database = [
  only('pg', 'only src/store/drivers/pg.ts and pg-listen.ts, and rotators'),
  only('@electric-sql/pglite', 'only src/store/drivers/pglite-worker.js'),
]
const spawn = [
  only('node:child_process', 'only src/process'),
  only('child_process', 'only src/process'),
]
// What of zod is not used is left out of the bundle only so: half a megabyte that each start would read.
const zod = [
  {
    selector: "ImportDeclaration[source.value='zod'] > ImportSpecifier",
    message: 'import * as z',
  },
]
const time = [
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: 'take a Clock',
  },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'take a Clock' },
  {
    selector: "CallExpression[callee.property.name='toISOString']",
    message: 'a number from outside makes it throw: use toFineTimestamp of src/kernel/clock.ts',
  },
]
// The rule against floating promises takes a second argument of then() for a handler of all faults.
const thens = [
  {
    selector:
      "ExpressionStatement > CallExpression[callee.property.name='then'][arguments.length=2]",
    message: 'a fault of the first function is nobody’s: use background',
  },
]
const manyArguments = [
  {
    selector: "CallExpression[callee.property.name='push'] > SpreadElement",
    message: 'many items are a RangeError: use append of src/kernel/append.ts',
  },
]
// In the bundle, what is imported late of a package in the older format has nothing but a default.
const lateImports = [
  {
    selector:
      'ImportExpression[source.value=/^(?!\\.|node:|commander$|nodemailer$|@kubernetes\\u002fclient-node$)/]',
    message: 'import a file of ours late, which imports the package',
  },
]
// Fields that are spread from a literal are fields: the spread would say something to the formatter only.
const literalSpreads = [
  {
    selector: 'ObjectExpression > SpreadElement > ObjectExpression',
    message: 'write the fields without the spread',
  },
  {
    selector: 'JSXSpreadAttribute > ObjectExpression',
    message: 'write the attributes without the spread',
  },
]
// Who sees a secret is asked of its place, and nobody spells the rule again.
const scopes = [
  {
    selector: "Literal[value='global']",
    message: 'ask isForAll, isForService or sees of src/secrets/place.ts, or name everyService',
  },
]
const mocks = [
  {
    selector: "CallExpression[callee.object.name='vi'][callee.property.name=/^(mock|doMock)$/]",
    message: 'pass a dependency instead',
  },
]

// A limit in ms is too short on a busy machine, and says nothing on a fast one: the budget project measures.
const measures = [
  {
    selector:
      "CallExpression[callee.property.name=/^toBeLessThan/] > MemberExpression > CallExpression[callee.name='expect'] > BinaryExpression[operator='-'] > CallExpression.left[callee.object.name=/^(performance|Date|realClock)$/][callee.property.name=/^(now|monotonic)$/]",
    message: 'wait for a state, count what is done, or measure in the budget project',
  },
  {
    selector: "CallExpression[callee.object.name='vi'][callee.property.name=/^wait(For|Until)$/]",
    message: 'it gives up after a second: use passes of test/support/eventually.ts',
  },
]

// The dashboard runs in a browser: of the sources it may use what is pure, of packages those that are listed.
const dashboardPackages = [
  'preact',
  'preact/hooks',
  '@preact/signals',
  'preact-iso',
  'preact-iso/router',
  '@tanstack/virtual-core',
  '@tanstack/query-core',
  'openapi-fetch',
]
const inBrowsers = [
  ...time,
  ...scopes,
  ...literalSpreads,
  ...mocks,
  {
    selector:
      "ImportExpression:not(CallExpression[callee.name='later'] > ArrowFunctionExpression > ImportExpression)",
    message: 'a file may not come: later(() => import(…)) tries it again, and says why',
  },
  {
    selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
    message: 'text is a child: the policy of the page allows no HTML from text',
  },
  {
    selector: 'MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML)$/]',
    message: 'text is a child: the policy of the page allows no HTML from text',
  },
]
const pure = [
  './kernel/clock.ts',
  './kernel/defined.ts',
  './kernel/grouped.ts',
  './kernel/same-json.ts',
  './formats/dotenv.ts',
  './search/fit.ts',
  './search/near-name.ts',
  './kinds/condition-types.ts',
  './kinds/names.ts',
  './resources/kind-names.ts',
  './kinds/rotation/use.ts',
  './kinds/secret/name.ts',
  './kinds/stagelet/stopped-service.ts',
  './generated/forms.ts',
  './generated/rest-types.ts',
  './resources/schemas/form.ts',
  './kinds/secret-store/next-sync.ts',
  './formats/structured.ts',
  './formats/yaml-secrets.ts',
  './secrets/set-entry.ts',
  './secrets/environment-rows.ts',
  './secrets/environment-set.ts',
  './secrets/layout.ts',
  './secrets/looks-secret.ts',
  './secrets/managed-values.ts',
  './secrets/place.ts',
  './secrets/references.ts',
  './secrets/key-change.ts',
  './access/dashboard-page.ts',
  './access/folders.ts',
  './access/place.ts',
  './access/principal.ts',
  './access/roles.ts',
  './access/team-roles.ts',
  './audit/lines.ts',
  './audit/receipt.ts',
  './audit/signed-report.ts',
  './audit/texts.ts',
  './audit/verify.ts',
]

const inPrograms = [
  ...time,
  ...literalSpreads,
  ...thens,
  ...mocks,
  ...zod,
  ...manyArguments,
  ...lateImports,
]

export default defineConfig(
  {
    ignores: [
      'dist/**',
      '**/*.mjs',
      '*.config.*',
      'node_modules/**',
      'src/generated/rest-types.ts',
      'dashboard/app/theme.js',
      'src/store/drivers/pglite-worker.js',
    ],
  },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { 'import-x': importX },
    settings: { 'import-x/ignore': ['node_modules'], 'import-x/extensions': ['.ts'] },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // Nobody hears of the fault of a promise that nobody waits for, or it ends the process: `background`.
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unnecessary-condition': 'off', // noUncheckedIndexedAccess guards read as needless to it
      '@typescript-eslint/no-non-null-assertion': 'off',
      // A function may be as short as its one call: `() => setOpen(true)`.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      complexity: ['error', 20] /* `??` counts */,
      'max-depth': ['error', 4],
      'max-params': ['error', 4],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      eqeqeq: 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'only config.ts reads the environment' },
        {
          object: 'AbortSignal',
          property: 'any',
          message: 'use linkedAbort: see src/kernel/async/linked-abort.ts',
        },
      ],
      'no-restricted-imports': ['error', { paths: [...database, ...spawn] }],
      'no-restricted-syntax': ['error', ...inPrograms, ...scopes],
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: [
            up('./src', ['./controller', './agent', './cli'], 'src knows no program'),
            up(
              './agent',
              ['./controller', './cli', './src/store'],
              'the agent has no database and knows no controller',
            ),
            up('./controller', ['./agent', './cli'], 'they meet in src/protocol'),
            up(
              ['./src', './controller', './agent', './cli'],
              ['./dashboard'],
              'it runs in browsers',
            ),
            {
              target: './dashboard',
              from: './src',
              except: pure,
              message: 'only what is pure: see dashboard in eslint.config.js',
            },
            up(
              './dashboard',
              ['./controller', './agent', './cli'],
              'the dashboard speaks the REST API',
            ),
            up('./cli', ['./src/store'], 'the CLI speaks the API'),
            up(
              './src/kernel',
              [
                './src/resources',
                './src/access',
                './src/secrets',
                './src/store',
                './src/protocol',
                './src/runtime',
                './src/manifests',
              ],
              'kernel is the bottom',
            ),
            up(
              './src/resources',
              ['./src/kinds', './src/store', './src/protocol', './src/runtime', './src/manifests'],
              'resources know no kind',
            ),
            up(
              './src/kinds',
              [
                './src/store',
                './src/protocol',
                './src/runtime',
                './src/manifests',
                './src/rollout',
              ],
              'a kind knows no store',
            ),
            up(
              './src/secrets',
              ['./src/store', './src/protocol', './src/runtime', './src/rollout'],
              'secrets stand on resources',
            ),
            up(
              ['./src/process', './src/compose'],
              ['./src/secrets', './src/store', './src/protocol', './src/runtime'],
              'Compose is asked, and told nothing by us',
            ),
            up(
              './src/rollout',
              ['./src/store', './src/protocol', './src/runtime'],
              'rollout stands on secrets',
            ),
            up('./src/access', ['./src/secrets', './src/store'], 'access is pure'),
            up(
              './src/protocol',
              ['./src/store', './src/runtime'],
              'store, protocol, runtime are siblings',
            ),
            up(
              './src/store',
              ['./src/protocol', './src/runtime'],
              'store, protocol, runtime are siblings',
            ),
            up(
              './src/runtime',
              ['./src/store', './src/protocol'],
              'store, protocol, runtime are siblings',
            ),
          ],
        },
      ],
    },
  },
  { files: ['{controller,agent,cli}/config.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['src/secrets/place.ts', 'src/kinds/secret/{name,rules,schema}.ts'],
    rules: { 'no-restricted-syntax': ['error', ...inPrograms] },
  },
  {
    files: ['src/kernel/clock.ts'],
    rules: { 'no-restricted-syntax': ['error', ...mocks, ...literalSpreads] },
  },
  {
    files: [
      'src/store/drivers/{pg,pg-listen}.ts',
      'controller/rotators/providers/postgres-session.ts',
    ],
    rules: { 'no-restricted-imports': ['error', { paths: spawn }] },
  },
  {
    files: ['src/process/*.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: database }] },
  },
  // Vite gives the classes of a stylesheet as a default export.
  { files: ['dashboard/build.d.ts'], rules: { 'import-x/no-default-export': 'off' } },
  { files: ['cli/print.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['dashboard/**/*.{ts,tsx}'],
    rules: {
      'no-restricted-syntax': ['error', ...inBrowsers],
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^(?!\\.|icon:|(?:${dashboardPackages.join('|')})$)`,
              message: 'a package that is not listed: see dashboardPackages in eslint.config.js',
            },
          ],
        },
      ],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      // A page goes on, and app/main.tsx shows the fault.
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
    },
  },
  {
    // A component is a function with its markup.
    files: ['dashboard/**/*.tsx'],
    rules: {
      'max-lines-per-function': ['error', { max: 120, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['dashboard/api/clock.ts', 'dashboard/ui/time.tsx'],
    rules: { 'no-restricted-syntax': ['error', ...inBrowsers.slice(time.length)] },
  },
  {
    files: ['**/*.test.ts', 'test/**', 'scripts/**'],
    rules: {
      'max-lines': ['error', 600],
      'max-lines-per-function': 'off',
      complexity: 'off',
      'no-console': 'off',
      'no-restricted-imports': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-syntax': ['error', ...mocks, ...measures, ...literalSpreads],
      'import-x/no-restricted-paths': 'off',
      // Vitest fails a run in which a fault is not handled.
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
    },
  },
  {
    files: [
      'test/contract/budget/hostile-budget.test.ts',
      'test/bench/**',
      'test/support/eventually.ts',
    ],
    rules: { 'no-restricted-syntax': ['error', ...mocks, ...literalSpreads] },
  },
)
