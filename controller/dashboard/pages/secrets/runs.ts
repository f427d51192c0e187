// Which containers run a secret's newest value, and since when: from the precedence rule that controller and agents
// use, and from what the agents measured. Pure.
import { winnersFor, type SetEntry } from '../../../../src/secrets/set-entry.ts'
import type { Secret, Service, Stagelet } from '../../api/types.ts'
import { standingOf } from '../../live/standing.ts'
import type { StateKind } from '../../ui/state.tsx'

export interface Consumer {
  readonly stagelet: Stagelet
  readonly service: Service
  /** undefined: nobody sees it now. */
  readonly isCurrent: boolean | undefined
}

/** In how many of the services that see a secret its newest value runs. */
export interface Runs {
  readonly kind: StateKind
  /** `current`, `behind`, `unknown` or `unseen`, for the filter. */
  readonly word: string
  readonly current: number
  readonly total: number
  /** When the newest of the containers started; only when all run it. */
  readonly since: string | undefined
  readonly consumers: readonly Consumer[]
}

/** Keys of which anything changed after a revision; undefined: not known yet. */
export type ChangedSince = (revision: number) => ReadonlySet<string> | undefined

const entryOf = (secret: Secret): SetEntry => ({
  secretId: secret.id,
  name: secret.name,
  version: secret.version,
  key: secret.key,
  scope: secret.scope,
  type: secret.type,
  ...(secret.stagelet === undefined ? {} : { stagelet: secret.stagelet }),
  bytes: secret.bytes ?? 0,
  valueDigest: '',
})

/**
 * A service that is behind still runs the newest value of a key of which nothing has changed since its revision:
 * no value, no place, no rival. A value that refers to others may differ all the same, so it counts as behind.
 */
const runsNewest = (
  service: Service,
  secret: Secret,
  changedSince: ChangedSince,
): boolean | undefined => {
  if (service.in_sync !== false) return service.in_sync
  if (service.revision === undefined || secret.references === true) return false
  return changedSince(service.revision)?.has(secret.key) === false
}

export const unseen: Runs = {
  kind: 'wait',
  word: 'unseen',
  current: 0,
  total: 0,
  since: undefined,
  consumers: [],
}

const latest = (consumers: readonly Consumer[]): string | undefined =>
  consumers
    .map(({ service }) => service.since)
    .filter((at) => at !== undefined)
    .sort()
    .at(-1)

const summary = (consumers: readonly Consumer[]): Runs => {
  const total = consumers.length
  if (total === 0) return unseen
  const current = consumers.filter(({ isCurrent }) => isCurrent === true).length
  const say = (kind: StateKind, word: string, since?: string): Runs => ({
    ...{ kind, word, current, total, consumers },
    since,
  })
  if (current === total) return say('ok', 'current', latest(consumers))
  const behind = consumers.find(({ isCurrent }) => isCurrent === false)
  if (behind === undefined) return say('unknown', 'unknown')
  const { kind } = standingOf(behind.stagelet)
  return say(kind === 'ok' ? 'wait' : kind, 'behind')
}

/** For each secret by its id. */
export const runsOf = (
  secrets: readonly Secret[],
  stagelets: readonly Stagelet[],
  changedSince: ChangedSince,
): ReadonlyMap<string, Runs> => {
  const byId = new Map(secrets.map((secret) => [secret.id, secret]))
  const entries = secrets.filter(({ version }) => version > 0).map(entryOf)
  const consumers = new Map<string, Consumer[]>()
  for (const stagelet of stagelets)
    for (const service of stagelet.services)
      for (const { secretId } of winnersFor(service.name, stagelet.name, entries).values()) {
        const secret = byId.get(secretId)
        if (secret === undefined) continue
        const isCurrent =
          service.state === 'unknown' ? undefined : runsNewest(service, secret, changedSince)
        const known = consumers.get(secretId) ?? []
        known.push({ stagelet, service, isCurrent })
        consumers.set(secretId, known)
      }
  return new Map([...consumers].map(([id, list]) => [id, summary(list)]))
}
