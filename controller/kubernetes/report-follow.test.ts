import { expect, it } from 'vitest'
import { StagelyError } from '../../src/kernel/errors.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import type { Condition } from '../../src/resources/conditions.ts'
import type { KubeObject, ObjectRef } from '../../src/resources/meta.ts'
import type { Store } from '../../src/store/store.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { createFollowReporter } from './report-follow.ts'

const projects = { kind: 'Project', namespace: 'shop', path: '/projects' }
const secrets = { kind: 'StagelySecret', namespace: 'shop', path: '/stagelysecrets' }

/** A store of the teams `default` and `shop`, and what was said of them. */
const world = () => {
  const said: string[] = []
  const teams = new Map(['default', 'shop'].map((name) => [name, [] as unknown[]]))
  const tx = {
    setConditions: ({ name }: ObjectRef, conditions: readonly Condition[]) => {
      teams.set(name, [...conditions])
      said.push(...conditions.map((c) => `${name} ${c.status} ${c.reason}: ${c.message}`))
      return Promise.resolve()
    },
  }
  const store = {
    get: ({ name }: ObjectRef) => {
      const conditions = teams.get(name)
      return Promise.resolve(
        conditions && ({ metadata: { name }, status: { conditions } } as unknown as KubeObject),
      )
    },
    write: (_actor: unknown, _options: unknown, run: (given: typeof tx) => unknown) => run(tx),
  } as unknown as Store
  const time = { ms: Date.parse('2026-01-01T00:00:00Z') }
  const clock = { ...realClock, now: () => time.ms }
  const actor = { name: 'kubernetes', source: 'kubernetes', authority: 'whole' as const }
  return { said, time, reporter: createFollowReporter({ store, clock, actor, log: silentLogger }) }
}

const away = new StagelyError('ServiceUnavailable', 'it cannot be reached')

it('says since when and why a namespace cannot be followed, once half a minute is over, and when it can', async () => {
  const { said, time, reporter } = world()
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

it('says the remedy, and in "default" what a team is missing for', async () => {
  const { said, time, reporter } = world()
  const { onFailure } = reporter.of({ kind: 'Rotation', namespace: 'other', path: '/rotations' })
  onFailure(new StagelyError('NotFound', 'the cluster answered 404'))
  time.ms += 30_000
  onFailure(new StagelyError('NotFound', 'the cluster answered 404'))
  await reporter.ended()
  expect(said.join()).toMatch(/^default False CannotFollow: Rotation .*404; the CRDs must be there/)
})
