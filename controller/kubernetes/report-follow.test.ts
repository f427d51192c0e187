import { expect, it } from 'vitest'
import { StagelyError } from '../../src/kernel/errors.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import type { Condition } from '../../src/resources/conditions.ts'
import type { ObjectRef } from '../../src/resources/meta.ts'
import type { Store } from '../../src/store/store.ts'
import { realClock } from '../../src/kernel/clock.ts'
import type { ClusterStream } from './intake.ts'
import { createFollowReporter } from './report-follow.ts'

const projects = { kind: 'Project', namespace: 'shop', path: '/projects' }
const secrets = { kind: 'StagelySecret', namespace: 'shop', path: '/stagelysecrets' }

/** A store of the teams `default` and `shop`, and what was said of them. */
const world = (...streams: ClusterStream[]) => {
  const said: string[] = []
  const teams = new Map(['default', 'shop'].map((name) => [name, [] as unknown[]]))
  const teamOf = (name: string) => ({
    metadata: { name },
    status: { conditions: teams.get(name) ?? [] },
  })
  const tx = {
    get: ({ name }: ObjectRef) => Promise.resolve(teams.has(name) ? teamOf(name) : undefined),
    setConditions: ({ name }: ObjectRef, conditions: readonly Condition[]) => {
      teams.set(name, [...conditions])
      said.push(...conditions.map((c) => `${name} ${c.status} ${c.reason}: ${c.message}`))
      return Promise.resolve()
    },
  }
  const store = {
    list: () => Promise.resolve({ items: [...teams.keys()].map(teamOf) }),
    write: (_actor: unknown, _options: unknown, run: (given: typeof tx) => unknown) => run(tx),
  } as unknown as Store
  const time = { ms: Date.parse('2026-01-01T00:00:00Z') }
  const clock = { ...realClock, now: () => time.ms }
  const actor = { name: 'kubernetes', source: 'kubernetes', authority: 'whole' as const }
  const start = () => createFollowReporter({ store, clock, actor, log: silentLogger }, streams)
  return { said, time, start, teams }
}

const away = new StagelyError('ServiceUnavailable', 'it cannot be reached')

it('says since when and why a namespace cannot be followed, once half a minute is over, and when it can', async () => {
  const { said, time, start } = world(projects, secrets)
  const reporter = start()
  const [one, other] = [reporter.of(projects), reporter.of(secrets)]
  one.onFailure(away)
  time.ms += 10_000
  one.onFailure(away)
  other.onFailure(away)
  await reporter.ended()
  expect(said).toEqual([])
  time.ms += 20_000
  one.onFailure(away)
  one.onFailure(away)
  time.ms += 10_000
  other.onFailure(away)
  await reporter.ended()
  expect(said).toEqual([
    'shop False CannotFollow: Project of the cluster cannot be followed since 2026-01-01T00:00:00Z: it cannot be reached. What was taken from it before stays as it is',
  ])
  one.onFollowed()
  await reporter.ended()
  expect(said).toHaveLength(1)
  other.onFollowed()
  await reporter.ended()
  expect(said.slice(1)).toEqual(['shop True Followed: the cluster is followed'])
})

it('says the remedy, and in "default" what a team is missing for, until each can be followed', async () => {
  const streams = ['one', 'two'].map((namespace) => ({
    kind: 'Rotation',
    namespace,
    path: '/rotations',
  }))
  const { said, time, start } = world(...streams)
  const reporter = start()
  const [one, two] = streams.map(reporter.of)
  const missing = new StagelyError('NotFound', 'the cluster answered 404')
  for (const ms of [0, 30_000]) {
    time.ms += ms
    one!.onFailure(missing)
    two!.onFailure(new StagelyError('Forbidden', 'no role'))
  }
  await reporter.ended()
  expect(said.at(-1)).toMatch(
    /^default False .*404; the CRDs must be there.*\n.*no role.*rbac\.yaml/,
  )
  one!.onFollowed()
  await reporter.ended()
  expect(said.at(-1)).toMatch(/^default False CannotFollow: Rotation .*no role/)
  two!.onFollowed()
  await reporter.ended()
  expect(said.at(-1)).toBe('default True Followed: the cluster is followed')
})

it('takes back what was said before a start only when all is known, and nothing of another reason', async () => {
  const { said, teams, start } = world(projects, secrets)
  const status = 'False'
  teams.set('shop', [{ type: 'ClusterFollowed', status, reason: 'CannotFollow', message: 'old' }])
  teams.set('default', [{ type: 'ClusterFollowed', status, reason: 'ClaimedByAnother' }])
  const reporter = start()
  reporter.of(projects).onFollowed()
  await reporter.ended()
  expect(said).toEqual([])
  reporter.of(secrets).onFollowed()
  await reporter.ended()
  expect(said).toEqual(['shop True Followed: the cluster is followed'])
})
