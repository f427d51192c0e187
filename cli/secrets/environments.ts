// Which environment has which keys, as services of its stagelets see them. Pure: it asks the rule of precedence that the
// controller and the agents use.
import { defined } from '../../src/kernel/defined.ts'
import type { EnvironmentSpec } from '../../src/resources/kinds/environment.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { ofKind } from '../../src/resources/typed.ts'
import { environmentSet } from '../../src/secrets/environment-set.ts'
import { isolatedIn, type Layout } from '../../src/secrets/layout.ts'
import {
  environmentsIn,
  isForController,
  stageletIn,
  winnersFor,
  type ProjectEntry,
} from '../../src/secrets/set-entry.ts'

/** A secret as a set holds it, but for its value. */
export const entryOf = (secret: KubeObject): ProjectEntry => {
  const { metadata, spec, status } = ofKind('StagelySecret', secret)
  const { key, scope, type, file, ...more } = spec
  return {
    secretId: metadata.uid ?? '',
    name: metadata.name,
    version: status?.version ?? 0,
    key,
    scope,
    type,
    ...defined({ stagelet: stageletIn(more), environments: environmentsIn(more), file }),
    bytes: 0,
    valueDigest: '', // only the agent and the controller have it
    ...(more.references === true && { references: [] }),
  }
}

/** What a service sees of a key in an environment. Undefined: nothing. */
export interface KeyInEnvironment {
  /** Name of the secret. */
  readonly secret: string
  /** Own: the secret names the environment. */
  readonly from: 'Own' | 'Inherited'
  readonly references?: true
}

/** A key of a service, or of all services. */
export interface KeyRow {
  readonly key: string
  readonly scope: string
  /** By environment. */
  readonly environments: ReadonlyMap<string, KeyInEnvironment>
  /** Stagelets that have a secret of their own. */
  readonly stagelets: readonly string[]
  readonly isForController: boolean
}

export const rowId = ({ key, scope }: Pick<ProjectEntry, 'key' | 'scope'>): string =>
  `${key}\n${scope}`

export const keyRows = (
  secrets: readonly KubeObject[],
  environments: readonly EnvironmentSpec[],
): KeyRow[] => {
  const all = secrets.map(entryOf)
  // What has no value yet is in no set.
  const entries = all.filter(({ version }) => version > 0)
  const byName = new Map(all.map((entry) => [entry.name, entry]))
  const layout: Layout = { stagelets: new Map(), isolated: isolatedIn(environments) }
  const winners = (environment: string, scope: string): ReadonlyMap<string, { name: string }> =>
    winnersFor(scope, '', environmentSet({ entries, layout }, { environment }))
  const scopes = [...new Set(all.map(({ scope }) => scope))]
  const seen = new Map(
    environments.map(({ name }) => [
      name,
      new Map(scopes.map((scope) => [scope, winners(name, scope)])),
    ]),
  )
  const inEnvironment = (
    environment: string,
    { key, scope }: ProjectEntry,
  ): readonly (readonly [string, KeyInEnvironment])[] => {
    const winner = byName.get(seen.get(environment)?.get(scope)?.get(key)?.name ?? '')
    if (winner === undefined) return []
    const from = winner.environments === undefined ? 'Inherited' : 'Own'
    const references = winner.references === undefined ? undefined : (true as const)
    return [[environment, { secret: winner.name, from, ...defined({ references }) }]]
  }
  const rows = new Map(all.map((entry) => [rowId(entry), entry]))
  return [...rows.values()]
    .map((entry) => {
      const same = all.filter((other) => rowId(other) === rowId(entry))
      return {
        key: entry.key,
        scope: entry.scope,
        environments: new Map(environments.flatMap(({ name }) => inEnvironment(name, entry))),
        stagelets: same.flatMap((other) =>
          other.stagelet === undefined || isForController(other) ? [] : [other.stagelet],
        ),
        isForController: same.some(isForController),
      }
    })
    .sort((a, b) => (rowId(a) < rowId(b) ? -1 : 1))
}
