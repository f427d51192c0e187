import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { execFile } from 'node:child_process'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stagely-stacks-'))
  const module = join(import.meta.dirname, 'source-stacks.ts')
  await writeFile(
    join(dir, 'fails.ts'),
    `import { nameSourcesInStacks } from ${JSON.stringify(module)}
nameSourcesInStacks()
interface Unseen { readonly line: 1 }
const fails = (): never => {
  throw new TypeError('a fault')
}
try {
  fails()
} catch (error) {
  console.log((error as Error).stack)
}
JSON.parse('{')
`,
  )
  await build({
    entryPoints: [join(dir, 'fails.ts')],
    outfile: join(dir, 'out/fails.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'silent',
  })
})
afterAll(() => rm(dir, { recursive: true, force: true }))

it('a stack names the sources of a bundle, also of an error that nobody caught', async () => {
  const ran = await promisify(execFile)(process.execPath, [join(dir, 'out/fails.mjs')]).then(
    () => ({ stdout: '', stderr: 'it did not fail' }),
    (error: unknown) => error as { stdout: string; stderr: string },
  )
  const source = join(dir, 'fails.ts')
  expect(ran.stdout).toContain(
    `TypeError: a fault\n    at fails (${source}:5:9)\n    at ${source}:8:3`,
  )
  expect(ran.stderr).toMatch(/SyntaxError: .*\n +at JSON\.parse \(<anonymous>\)\n/)
  expect(ran.stderr).toContain(`${source}:12:6`)
  expect(ran.stderr).toContain('node:internal/')
})
