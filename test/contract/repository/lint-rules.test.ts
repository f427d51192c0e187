// Each lint rule of this project's own refuses what it is there for.
import { ESLint } from 'eslint'
import { beforeAll, describe, expect, it } from 'vitest'
import tseslint from 'typescript-eslint'

const cycles = 'import-x/no-cycle'
/** That rule walks through all that a file imports. */
let lintCycles: ESLint
let lintOthers: ESLint

beforeAll(() => {
  // Rules that ask for types are not this project's own, and take long.
  const withoutTypes = {
    ...tseslint.configs.disableTypeChecked,
    languageOptions: { parserOptions: { projectService: false, project: false } },
  }
  const overrideConfig = [withoutTypes]
  lintCycles = new ESLint({ overrideConfig, ruleFilter: ({ ruleId }) => ruleId === cycles })
  lintOthers = new ESLint({ overrideConfig, ruleFilter: ({ ruleId }) => ruleId !== cycles })
})

/** Rules that refuse `code`, as the text of the file `path`. */
const refusedBy = async (path: string, code: string, eslint = lintOthers): Promise<string[]> => {
  const results = await eslint.lintText(code, { filePath: path })
  return results.flatMap(({ messages }) => messages.map(({ ruleId, message }) => ruleId ?? message))
}

const imports = (path: string): string => `import * as planted from '${path}'\nplanted.toString()\n`
const long = (lines: number): string => 'let a = 1\n' + 'a += 1\n'.repeat(lines)

describe('lint refuses', () => {
  it.each([
    ['two files that import each other', 'src/access/roles.ts', imports('./principal.ts')],
    ['three that do', 'src/access/team-roles.ts', imports('./principal.ts')],
  ])('%s', async (_what, path, code) => {
    expect(await refusedBy(path, code, lintCycles)).toContain(cycles)
  })

  it.each([
    ['src', 'src/runtime/control-loop.ts', '../../controller/print.ts'],
    ['src', 'src/runtime/control-loop.ts', '../../agent/main.ts'],
    ['src', 'src/runtime/control-loop.ts', '../../cli/print.ts'],
    ['the agent', 'agent/main.ts', '../controller/print.ts'],
    ['the agent', 'agent/main.ts', '../src/store/store.ts'],
    ['the controller', 'controller/print.ts', '../cli/print.ts'],
    ['the CLI', 'cli/print.ts', '../src/store/store.ts'],
    ['the kernel', 'src/kernel/clock.ts', '../resources/meta.ts'],
    ['resources', 'src/resources/meta.ts', '../store/store.ts'],
    ['secrets', 'src/secrets/aead.ts', '../store/store.ts'],
    ['Compose', 'src/compose/compose.ts', '../secrets/aead.ts'],
    ['access', 'src/access/roles.ts', '../store/store.ts'],
    ['the protocol', 'src/protocol/messages.ts', '../store/store.ts'],
    ['the store', 'src/store/store.ts', '../protocol/messages.ts'],
    ['the runtime', 'src/runtime/control-loop.ts', '../store/store.ts'],
    ['the rollout', 'src/rollout/revision.ts', '../store/store.ts'],
    ['processes', 'src/process/exec.ts', '../store/store.ts'],
    ['the controller', 'controller/print.ts', '../dashboard/live/state-kind.ts'],
    ['the dashboard', 'dashboard/live/state-kind.ts', '../../src/store/store.ts'],
    ['the dashboard', 'dashboard/live/state-kind.ts', '../../controller/print.ts'],
  ])('that %s (%s) imports %s', async (_who, path, imported) => {
    expect(await refusedBy(path, imports(imported))).toContain('import-x/no-restricted-paths')
  })

  it.each([
    ['a database outside of its drivers', 'src/store/store.ts', imports('pg')],
    ['an embedded one', 'controller/main.ts', imports('@electric-sql/pglite')],
    ['a process that is started elsewhere', 'agent/main.ts', imports('node:child_process')],
    ['one that a driver starts', 'src/store/drivers/pg.ts', imports('node:child_process')],
    ['one by the short name', 'agent/main.ts', imports('child_process')],
    ['a database in src/process', 'src/process/exec.ts', imports('pg')],
    ['a package in the dashboard', 'dashboard/live/state-kind.ts', imports('zod')],
  ])('%s', async (_what, path, code) => {
    expect(await refusedBy(path, code)).toContain('no-restricted-imports')
  })

  it.each([
    ['the time of day without a Clock', 'Date.now()\n', 'no-restricted-syntax'],
    ['a date of now', 'new Date().toString()\n', 'no-restricted-syntax'],
    ['the environment', 'process.env.HOME?.trim()\n', 'no-restricted-properties'],
    ['parts of zod', "import { z } from 'zod'\nz.string()\n", 'no-restricted-syntax'],
    ['a push of many', 'const all = []\nall.push(...given)\n', 'no-restricted-syntax'],
    ['a package that comes late', "export const a = import('yaml')\n", 'no-restricted-syntax'],
    [
      'a scope that is compared',
      "export const a = (b: string) => b === 'global'\n",
      'no-restricted-syntax',
    ],
    ['AbortSignal.any', 'AbortSignal.any([]).throwIfAborted()\n', 'no-restricted-properties'],
    ['a default export', 'export default 1\n', 'import-x/no-default-export'],
    ['console', "console.log('a')\n", 'no-console'],
    ['a long file', long(300), 'max-lines'],
    ['a long function', `export const f = (): void => {\n${long(80)}}\n`, 'max-lines-per-function'],
    ['==', 'export const f = (a: string): boolean => a == ``\n', 'eqeqeq'],
    [
      'a block in five others',
      `export const f = (a: number): void => {\n${'if (a > 1) {\n'.repeat(5)}a++\n${'}\n'.repeat(6)}`,
      'max-depth',
    ],
    [
      'a function with 21 ways',
      `export const f = (a: number): number => ${'a === 1 ? 1 : '.repeat(20)}0\n`,
      'complexity',
    ],
    [
      'five parameters',
      'export const f = (a: 1, b: 1, c: 1, d: 1, e: 1): 1[] => [a, b, c, d, e]\n',
      'max-params',
    ],
  ])('%s', async (_what, code, rule) => {
    expect(await refusedBy('src/store/objects/reads.ts', code)).toContain(rule)
  })

  it.each([
    'export const A = () => <p dangerouslySetInnerHTML={{ __html: `` }} />\n',
    'export const set = (at: Element): void => void (at.innerHTML = ``)\n',
    'export const now = Date.now()\n',
    "export const isWide = (scope: string): boolean => scope === 'global'\n",
  ])('in the dashboard %s', async (code) => {
    expect(await refusedBy('dashboard/ui/time-of-test.tsx', code)).toContain('no-restricted-syntax')
  })

  it('a mock of a module in a test', async () => {
    const code = "import { vi } from 'vitest'\nvi.mock('node:fs')\n"
    expect(await refusedBy('src/kernel/clock.ts', code)).toContain('no-restricted-syntax')
    expect(await refusedBy('test/contract/controller/events.test.ts', code)).toContain(
      'no-restricted-syntax',
    )
  })

  it.each([
    'const begun = performance.now()\nexpect(performance.now() - begun).toBeLessThan(500)\n',
    'await vi.waitFor(() => expect(read()).toBe(1))\n',
  ])('in a test %s', async (code) => {
    expect(await refusedBy('test/contract/controller/events.test.ts', code)).toContain(
      'no-restricted-syntax',
    )
    expect(await refusedBy('test/contract/budget/hostile-budget.test.ts', code)).not.toContain(
      'no-restricted-syntax',
    )
  })

  it('nothing in what imports the right way', async () => {
    const code = "import { allows } from '../src/access/principal.ts'\nexport const may = allows\n"
    for (const eslint of [lintCycles, lintOthers])
      expect(await refusedBy('controller/print.ts', code, eslint)).toEqual([])
  })
})
