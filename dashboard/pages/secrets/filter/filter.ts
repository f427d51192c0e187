// The filter of the list of secrets: words of the form `name:pattern`, with `*` for anything and `-` for not. A
// word without a name is looked for in the key. Pure.
import type { Secret } from '../../../../src/generated/rest-types.ts'
import { isForAll } from '../../../../src/secrets/place.ts'
import type { RunCount } from '../../project/run-count.ts'

export interface Filterable {
  readonly id: string
  readonly secret: Secret
  readonly runs: RunCount
  readonly isStaged: boolean
  /** Not now as it was in the revision that is shown. */
  readonly differs?: boolean
}

/** What a row does not know of itself. */
interface Around {
  /** Another secret of the key has the same value. */
  readonly isShared: (id: string) => boolean
}

type Test = (row: Filterable, around: Around) => boolean

/** Names that a filter may use, with an example for the help. */
export const filterNames = {
  key: 'key:DB_*',
  scope: 'scope:web',
  stagelet: 'stagelet:prod',
  environment: 'environment:preview',
  state: 'state:behind',
  type: 'type:file',
  by: 'by:ann',
  owner: 'owner:api',
  is: 'is:unseen',
} as const
type Name = keyof typeof filterNames

const globOf = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 'i')

const flags = {
  unseen: ({ runs }) => runs.total === 0,
  global: ({ secret }) => isForAll(secret),
  reference: ({ secret }) => secret.references === true,
  generated: ({ secret }) => secret.value_from?.generate !== undefined,
  staged: ({ isStaged }) => isStaged,
  shared: ({ id }, { isShared }) => isShared(id),
  changed: ({ differs }) => differs === true,
  'no-service': ({ secret }) => secret.warnings.includes('unknown_scope'),
  plain: ({ secret }) => secret.visibility === 'Plain',
} satisfies Readonly<Record<string, Test>>

export const filterFlags = Object.keys(flags) as readonly (keyof typeof flags)[]

/** Texts of which one has to fit. */
const textsOf: Readonly<
  Record<Exclude<Name, 'is'>, (row: Filterable) => string | readonly string[]>
> = {
  key: ({ secret }) => secret.key,
  scope: ({ secret }) => secret.scope,
  stagelet: ({ secret }) => secret.stagelet ?? '',
  environment: ({ secret }) => secret.environments ?? '',
  state: ({ runs }) => runs.word,
  type: ({ secret }) => secret.type,
  by: ({ secret }) => secret.updated_by ?? '',
  owner: ({ secret }) => secret.source,
}

const isName = (text: string): text is Name => text in filterNames
const isFlag = (text: string): text is keyof typeof flags => text in flags

interface SecretFilter {
  readonly test: Test
  /** Words that mean nothing; they are left out. */
  readonly unknown: readonly string[]
}

const testOf = (word: string): Test | undefined => {
  const colon = word.indexOf(':')
  const name = colon < 0 ? '' : word.slice(0, colon)
  const pattern = word.slice(colon + 1)
  if (colon < 0) {
    const part = word.toLowerCase()
    const glob = word.includes('*') ? globOf(word) : undefined
    return glob === undefined
      ? ({ secret }) => secret.key.toLowerCase().includes(part)
      : ({ secret }) => glob.test(secret.key)
  }
  if (!isName(name) || pattern === '') return undefined
  if (name === 'is') return isFlag(pattern) ? flags[pattern] : undefined
  const glob = globOf(pattern)
  return (row) => [textsOf[name](row)].flat().some((text) => glob.test(text))
}

export const parseFilter = (text: string): SecretFilter => {
  const tests: Test[] = []
  const unknown: string[] = []
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const isNot = word.startsWith('-') && word.length > 1
    const test = testOf(isNot ? word.slice(1) : word)
    if (test === undefined) unknown.push(word)
    else tests.push(isNot ? (...row) => !test(...row) : test)
  }
  return { test: (...row) => tests.every((test) => test(...row)), unknown }
}
