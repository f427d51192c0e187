// Reports that a collection of the cluster cannot be followed, while that lasts: by the condition ClusterFollowed of its
// team, or of `default` where there is none.
import { toTimestamp, type Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { statusConditions, findCondition } from '../../src/resources/conditions.ts'
import type { Actor, Store } from '../../src/store/store.ts'
import { remedyOf, type FollowOptions } from './follow.ts'
import type { ClusterStream } from './intake.ts'

const type = 'ClusterFollowed'
const reason = 'CannotFollow'
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

export const createFollowReporter = (deps: Deps): FollowReporter => {
  const { clock, log } = deps
  /** Since when (ms) a collection fails. */
  const failing = new Map<ClusterStream, number>()
  const said = new Map<string, string>()
  let last = Promise.resolve()

  const say = (team: string, message: string): void => {
    if (said.get(team) === message) return
    said.set(team, message)
    last = last
      .then(() => write(deps, team, message))
      .catch((error: unknown) => {
        said.delete(team)
        log.warn({ team, reason: messageOf(error) }, 'cannot say in the team how it is followed')
      })
  }
  const teamOf = ({ namespace }: ClusterStream): string => namespace ?? 'default'

  return {
    of: (stream) => ({
      onFailure: (cause) => {
        const since = failing.get(stream) ?? clock.now()
        failing.set(stream, since)
        if (clock.now() - since < patienceMs) return
        const why = [messageOf(cause), remedyOf(cause) ?? []].flat().join('; ')
        const text = `${stream.kind} of the cluster cannot be followed since ${toTimestamp(since)}: ${why}. What was taken from it before stays as it is`
        say(teamOf(stream), text)
      },
      onFollowed: () => {
        failing.delete(stream)
        const team = teamOf(stream)
        if (![...failing.keys()].some((other) => teamOf(other) === team)) say(team, '')
      },
    }),
    ended: () => last,
  }
}

/** `message` is empty where the cluster is followed. Another controller's claim has its own words. */
const write = async ({ store, actor }: Deps, name: string, message: string): Promise<void> => {
  const refs = [name, 'default'].map((team) => ({ kind: 'Namespace', namespace: '', name: team }))
  for (const ref of refs) {
    const team = await store.get(ref)
    if (team === undefined) continue
    const now = findCondition(statusConditions(team), type)
    if (message === '' ? now?.reason !== reason : now?.reason === 'ClaimedByAnother') return
    const followed = {
      status: 'True',
      reason: 'Followed',
      message: 'the cluster is followed',
    } as const
    const verdict = message === '' ? followed : ({ status: 'False', reason, message } as const)
    await store.write(actor, {}, (tx) => tx.setConditions(ref, [{ type, ...verdict }]))
    return
  }
}
