// Reports that a collection of the cluster cannot be followed, while that lasts: by the condition
// ClusterFollowed of its team, or of `default` where there is none.
import { toTimestamp, type Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { Actor, Store } from '../../src/store/store.ts'
import { showFaults } from '../sources/report-faults.ts'
import { remedyOf, type FollowOptions } from './follow.ts'
import type { ClusterStream } from './intake.ts'

const type = 'ClusterFollowed'
const reason = 'CannotFollow'
const good = { status: 'True', reason: 'Followed', message: 'the cluster is followed' } as const
/** A cluster that is started anew is back before. */
const patienceMs = 30_000

interface FollowReporter {
  readonly of: (stream: ClusterStream) => Pick<Required<FollowOptions>, 'onFailure' | 'onFollowed'>
  /** Resolves when everything is written. */
  readonly ended: () => Promise<void>
}

interface Deps {
  readonly store: Store
  readonly actor: Actor
  readonly clock: Clock
  readonly log: Logger
}

export const createFollowReporter = (
  deps: Deps,
  streams: readonly ClusterStream[],
): FollowReporter => {
  const { clock, log } = deps
  /** Since when (ms) a collection fails. */
  const failing = new Map<ClusterStream, number>()
  /** Of a team one collection speaks: mostly all of them fail for one reason. */
  const faults = new Map<string, { readonly speaker: ClusterStream; readonly text: string }>()
  /** Of these nothing is known yet, so that what was reported before this start may last. */
  const unknown = new Set(streams)
  let shown = ''
  let last = Promise.resolve()

  const show = (): void => {
    const ofTeams = [...faults].map(([team, { text }]) => ({ team, text }))
    const next = JSON.stringify([ofTeams, unknown.size > 0])
    if (next === shown) return
    shown = next
    const condition = { type, reason, good: unknown.size > 0 ? undefined : good }
    last = last
      .then(() => showFaults(deps, condition, ofTeams))
      .catch((error: unknown) => {
        shown = ''
        log.warn({ reason: messageOf(error) }, 'cannot say in the teams how they are followed')
      })
  }
  const teamOf = ({ namespace }: ClusterStream): string => namespace ?? 'default'

  return {
    of: (stream) => ({
      onFailure: (cause) => {
        const since = failing.get(stream) ?? clock.now()
        failing.set(stream, since)
        if (clock.now() - since < patienceMs) return
        unknown.delete(stream)
        const { speaker = stream } = faults.get(teamOf(stream)) ?? {}
        if (speaker === stream || !failing.has(speaker)) {
          const why = [messageOf(cause), remedyOf(cause) ?? []].flat().join('; ')
          const text = `${stream.kind} of the cluster cannot be followed since ${toTimestamp(since)}: ${why}. What was taken from it before stays as it is`
          faults.set(teamOf(stream), { speaker: stream, text })
        }
        show()
      },
      onFollowed: () => {
        failing.delete(stream)
        unknown.delete(stream)
        const team = teamOf(stream)
        if (![...failing.keys()].some((other) => teamOf(other) === team)) faults.delete(team)
        show()
      },
    }),
    ended: () => last,
  }
}
