// Services of stagelets, and in how many of them the newest value of a secret runs. Pure.
import type { Service, Stagelet } from '../../../src/generated/rest-types.ts'
import type { ServiceViewer } from '../../../src/secrets/place.ts'
import { stageletState } from '../../live/states.ts'
import type { StateKind } from '../../live/state-kind.ts'

/** One service of one stagelet. */
export interface ServiceRef extends ServiceViewer {
  readonly parent: Stagelet
  readonly status: Service
}

export interface ServiceConsumer {
  readonly stagelet: Stagelet
  readonly service: Service
  /** undefined: not known now. */
  readonly isCurrent: boolean | undefined
}

/** In how many of the services that see a secret its newest value runs. */
export interface RunCount {
  readonly kind: StateKind
  /** `current`, `behind`, `unknown` or `unseen`, for the filter. */
  readonly word: 'current' | 'behind' | 'unknown' | 'unseen'
  readonly current: number
  readonly total: number
  /** When the newest of the containers started; only when all run it. */
  readonly since: string | undefined
}

export const noRuns: RunCount = {
  kind: 'wait',
  word: 'unseen',
  current: 0,
  total: 0,
  since: undefined,
}

export interface Measured {
  readonly serviceRef: ServiceRef
  /** undefined: not known now. */
  readonly isCurrent: boolean | undefined
}

export const latest = (serviceRefs: readonly ServiceRef[]): string | undefined => {
  let last: string | undefined
  for (const { status } of serviceRefs)
    if (status.since !== undefined && (last === undefined || status.since > last))
      last = status.since
  return last
}

/** How many services run it, and one that does not. */
export interface Counted {
  readonly total: number
  readonly current: number
  readonly behind: ServiceRef | undefined
}

export const sayRuns = (
  { total, current, behind }: Counted,
  since: () => string | undefined,
): RunCount => {
  const say = (kind: StateKind, word: RunCount['word']): RunCount => ({
    kind,
    word,
    current,
    total,
    since: word === 'current' ? since() : undefined,
  })
  if (total === 0) return noRuns
  if (current === total) return say('ok', 'current')
  if (behind === undefined) return say('unknown', 'unknown')
  const { kind } = stageletState(behind.parent)
  return say(kind === 'ok' ? 'wait' : kind, 'behind')
}

export const counted = (found: readonly Measured[]): Counted => ({
  total: found.length,
  current: found.filter(({ isCurrent }) => isCurrent === true).length,
  behind: found.find(({ isCurrent }) => isCurrent === false)?.serviceRef,
})

export const summary = (found: readonly Measured[]): RunCount =>
  sayRuns(counted(found), () => latest(found.map(({ serviceRef }) => serviceRef)))
