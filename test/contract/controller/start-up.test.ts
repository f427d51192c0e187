// What each start of a program reads: only what it needs, which `npm run build` has put together.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

interface Part {
  readonly entryPoint?: string
  readonly imports: readonly { path: string; kind: string; external?: boolean }[]
  readonly inputs: Readonly<Record<string, unknown>>
}

const dist = new URL('../../../dist/', import.meta.url)
const outputs = JSON.parse(readFileSync(new URL('bundled.json', dist), 'utf8')) as Record<
  string,
  Part
>

/** The built files that are read with that of the source `entry`, each once. */
const readWith = (entry: string): string[] => {
  const [first] = Object.entries(outputs).find(([, part]) => part.entryPoint === entry)!
  const read = new Set([first])
  for (const file of read)
    for (const { path, kind, external } of outputs[file]!.imports)
      if (kind === 'import-statement' && external !== true) read.add(path)
  return [...read]
}

const packageOf = (path: string): string | undefined =>
  /(?:.*\/|^)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ??
  (/^(\.|node:)/.test(path) ? undefined : /^(@[^/]+\/)?[^/]+/.exec(path)?.[0])

const packagesReadWith = (...entries: string[]): string[] => {
  const paths = entries.flatMap(readWith).flatMap((file) => {
    const { imports, inputs } = outputs[file]!
    const outside = imports.filter((i) => i.external === true && i.kind === 'import-statement')
    const inside = Object.keys(inputs).filter((input) => input.includes('node_modules/'))
    return [...inside, ...outside.map(({ path }) => path)]
  })
  const found = new Set(paths.map(packageOf).filter((name) => name !== undefined))
  return [...found].sort()
}

const kilobytes = (...entries: string[]): number => {
  const files = new Set(entries.flatMap(readWith))
  const sizes = [...files].map((file) => readFileSync(new URL(`../${file}`, dist)).length)
  return sizes.reduce((a, b) => a + b, 0) / 1024
}

it('the command reads no package before it knows what is asked for, and then what that needs', () => {
  expect(packagesReadWith('cli/main.ts')).toEqual([])
  for (const name of ['get', 'wait', 'status', 'deploy'])
    expect(packagesReadWith('cli/main.ts', `cli/commands/${name}.ts`)).toEqual(['commander'])
  for (const name of ['apply', 'secrets'])
    expect(packagesReadWith('cli/main.ts', `cli/commands/${name}.ts`)).toEqual([
      'commander',
      'yaml',
      'zod',
    ])
  expect(kilobytes('cli/main.ts', 'cli/commands/get.ts')).toBeLessThan(120)
  expect(kilobytes('cli/main.ts', 'cli/commands/apply.ts')).toBeLessThan(650)
})

it('the agent reads no package but those for its protocol and its log', () => {
  const names = packagesReadWith('agent/main.ts')
  expect(names).toEqual(expect.arrayContaining(['pino', 'zod']))
  expect(names.filter((name) => ['commander', 'hono', 'pg', 'yaml'].includes(name))).toEqual([])
  expect(kilobytes('agent/main.ts')).toBeLessThan(700)
})

it('the controller reads what few of them use only where it is used', () => {
  const names = packagesReadWith('controller/main.ts')
  expect(names).toEqual(expect.arrayContaining(['hono', 'pg', 'zod']))
  const rarely = [
    '@aws-sdk/client-kms',
    '@electric-sql/pglite',
    'google-auth-library',
    '@kubernetes/client-node',
    'openid-client',
  ]
  expect(names.filter((name) => rarely.includes(name))).toEqual([])
})
