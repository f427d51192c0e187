// Which environment has which keys, as services of its stagelets see them, and how environments differ. Pure: it asks the
// rule of precedence that the controller and the agents use.
import { defined } from '../kernel/defined.ts'
import { grouped } from '../kernel/grouped.ts'
import { environmentSet } from './environment-set.ts'
import { isolatedIn, type Layout } from './layout.ts'
import { isForController } from './place.ts'
import { winnersFor, type ProjectEntry } from './set-entry.ts'

/** What a service sees of a key in an environment. Undefined: nothing. */
export interface KeyInEnvironment {
  readonly secretId: string
  /** Name of the secret. */
  readonly secret: string
  /** Own: the secret names the environment. */
  readonly from: 'Own' | 'Inherited'
  readonly references?: true
}

/** A key of a service, or of all services. */
export interface EnvironmentRow {
  readonly key: string
  readonly scope: string
  /** By environment. */
  readonly environments: ReadonlyMap<string, KeyInEnvironment>
  /** Stagelets that have a secret of their own. */
  readonly stagelets: readonly string[]
  readonly isForController: boolean
}

interface Listed {
  readonly name: string
  readonly inherits?: string | undefined
}

export const rowId = ({ key, scope }: Pick<ProjectEntry, 'key' | 'scope'>): string =>
  `${key}\n${scope}`

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** `entries` may have secrets without a value (version 0), which no service sees. */
export const environmentRows = (
  entries: readonly ProjectEntry[],
  environments: readonly Listed[],
): EnvironmentRow[] => {
  const layout: Layout = { stagelets: new Map(), isolated: isolatedIn(environments) }
  return [...grouped(entries, ({ key }) => key)]
    .flatMap(([key, ofKey]) => rowsOfKey(key, ofKey, { environments, layout }))
    .sort((a, b) => byText(rowId(a), rowId(b)))
}

const rowsOfKey = (
  key: string,
  ofKey: readonly ProjectEntry[],
  { environments, layout }: { environments: readonly Listed[]; layout: Layout },
): EnvironmentRow[] => {
  const entries = ofKey.filter(({ version }) => version > 0)
  const byId = new Map(entries.map((entry) => [entry.secretId, entry]))
  return [...grouped(ofKey, ({ scope }) => scope)].map(([scope, same]) => {
    const inEnvironment = ({ name }: Listed): readonly (readonly [string, KeyInEnvironment])[] => {
      const set = environmentSet({ entries, layout }, { environment: name })
      const winner = byId.get(winnersFor(scope, '', set).get(key)?.secretId ?? '')
      return winner === undefined ? [] : [[name, shown(winner)]]
    }
    return {
      key,
      scope,
      environments: new Map(environments.flatMap(inEnvironment)),
      stagelets: same.flatMap((entry) =>
        entry.stagelet === undefined || isForController(entry) ? [] : [entry.stagelet],
      ),
      isForController: same.some(isForController),
    }
  })
}

const shown = ({ secretId, name, environments, references }: ProjectEntry): KeyInEnvironment => ({
  secretId,
  secret: name,
  from: environments === undefined ? 'Inherited' : 'Own',
  ...defined({ references: references === undefined ? undefined : (true as const) }),
})

/** Undefined: not known to who asks. */
export type AreEqual = (here: KeyInEnvironment, there: KeyInEnvironment) => boolean | undefined

/** How environments differ in a key. */
export interface Comparison {
  /** Environments that do not have the key, while others do. */
  readonly missing: readonly string[]
  /** Of those that have it. */
  readonly values: 'Equal' | 'Different' | 'Unknown'
  /** Some value refers to others: values are compared as they are written. */
  readonly asWritten: boolean
}

/** Undefined: none of these environments has the key. */
export const compareEnvironments = (
  { environments }: Pick<EnvironmentRow, 'environments'>,
  names: readonly string[],
  areEqual: AreEqual,
): Comparison | undefined => {
  const missing = names.filter((name) => !environments.has(name))
  const [first, ...others] = names.flatMap((name) => environments.get(name) ?? [])
  if (first === undefined) return undefined
  const verdicts = others.map(
    (other) => other.secretId === first.secretId || areEqual(first, other),
  )
  return {
    missing,
    values: verdicts.includes(false)
      ? 'Different'
      : verdicts.includes(undefined)
        ? 'Unknown'
        : 'Equal',
    asWritten: [first, ...others].some(({ references }) => references === true),
  }
}

/** `equal`, `different, missing in preview`; a key that just one environment has is `only in production`. */
export const comparisonText = (
  { missing, values, asWritten }: Comparison,
  names: readonly string[],
): string => {
  const having = names.filter((name) => !missing.includes(name))
  if (missing.length > 0 && having.length === 1) return `only in ${having.join()}`
  const words = {
    Equal: asWritten ? 'equal as written' : 'equal',
    Different: 'different',
    Unknown: 'not compared',
  }
  return missing.length === 0
    ? words[values]
    : `${words[values]}, missing in ${missing.join(' and ')}`
}
