// A machine in foreign hands says which revision it has settled at, what has failed there, and when. Its word gets it no
// older set than its stagelet was told to run, and nothing of it stays once another machine has the stagelet.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentPaths } from '../../../src/protocol/messages.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import {
  shop,
  startLearningWorld,
  type LearningWorld,
} from '../../support/agents/learning-world.ts'
import { observationOf } from '../../support/agents/opening-agent.ts'
import { passes } from '../../support/eventually.ts'

interface Shown<Status> {
  readonly metadata: { readonly uid: string; readonly generation: number }
  readonly status?: Status
}

const far = Number.MAX_SAFE_INTEGER
let world: LearningWorld
let seq = 0

const shown = async <Status>(kind: string, name: string): Promise<Shown<Status>> => {
  const path = `/apis/stagely.dev/v1alpha1/namespaces/default/${kind}/${name}`
  return (await world.by('admin', 'GET', path)).json<Shown<Status>>()
}
const statusOf = async (name: string): Promise<StageletStatus> =>
  (await shown<StageletStatus>('stagelets', name)).status!
const closed = async (): Promise<number> =>
  (await shown<{ revision?: number }>('projects', 'shop')).status?.revision ?? 0

/** Once the write is in a closed revision. */
const inRevision = async (write: () => Promise<unknown>): Promise<void> => {
  const before = await closed()
  await write()
  await passes(async () => (await closed()) > before)
}

const stagelet = (name: string): Promise<void> =>
  world.apply('Stagelet', name, {
    projectRef: { name: 'shop' },
    agentRef: { name: 'box-a' },
    environment: 'production',
    compose: { directory: `/srv/${name}` },
  })

const web = { name: 'web', digests: [''], containers: 1, state: 'running', restarts: 0 }
const say = async (name: string, more: object, box: 'a' | 'b' = 'a'): Promise<void> => {
  const item = await world[box].ordered(name)
  const { generation } = (await shown('stagelets', name)).metadata
  seq += 1
  const seen = { generation, services: [web], ...more }
  const observation = observationOf(item, seen)
  const body = { boot: world[box].boot, seq, observations: [observation] }
  expect(await world[box].post(agentPaths.report, body)).toBe('{"refused":[]}')
  const service = `service ${seq}`
  const marked = { ...observation, services: [...seen.services, { ...web, name: service }] }
  seq += 1
  await world[box].post(agentPaths.report, { ...body, seq, observations: [marked] })
  // The reports of one stagelet are decided in turn.
  await passes(async () =>
    (await statusOf(name)).services!.some(
      (seen) => seen.name === service && seen.state !== 'unknown',
    ),
  )
}

beforeAll(async () => {
  world = await startLearningWorld()
})
afterAll(() => world?.stop())

it('gets no set that was closed before it had the stagelet', async () => {
  const value = 'canary of somebody who has left'
  world.canaries.add('leaver', value)
  await inRevision(() =>
    world.apply('StagelySecret', 'leaver', { projectRef: { name: 'shop' }, key: 'LEAVER', value }),
  )
  await inRevision(() => world.admin('DELETE', `${shop}/secrets/leaver`))
  await stagelet('late')
  const { uid, revision } = await world.a.ordered('late')
  expect(revision).toBeGreaterThan(1)
  for (let old = revision - 1; old >= 0; old -= 1) {
    await say('late', { revision: old })
    expect((await statusOf('late')).healthyRevision).toBeUndefined()
  }
  await say('late', { revision })
  expect((await statusOf('late')).healthyRevision).toBe(revision)
  await say('late', { revision: revision - 1 })
  await inRevision(() => world.admin('PATCH', `${shop}/secrets/plain`, { value: 'plain for all' }))
  await world.a.told(
    'bundle',
    (text) => text.includes(uid) && text.includes(`"revision":${revision + 1}`),
  )
  const bundles = (await world.a.told('bundle')).split('\n')
  const own = bundles.flatMap((line, i) =>
    line.startsWith('{"type":"bundle"') && line.includes(uid) ? [line, bundles[i + 1]!] : [],
  )
  expect(world.canaries.in(own.join('\n'))).not.toContain('leaver')
})

it('tells no time to come', async () => {
  const hand = { command: 'up', user: 'root', exitCode: 0, touched: [] }
  await say('web-a', { hand: { ...hand, at: '9999-12-31T23:59:59Z' } })
  const answer = await world.by('admin', 'GET', '/api/v1/activity?limit=1')
  const [newest] = answer.json<{ activity: { at: string; what: string }[] }>().activity
  expect(newest?.what).toBe('by_hand')
  expect(Date.parse(newest?.at ?? '')).toBeLessThanOrEqual(Date.now())
})

describe('what it has said of failures', () => {
  const failed = (service: string, digest: string) => ({
    quarantine: [{ service, digest, revision: far, retry: '', message: 'it died' }],
  })
  const digestOf = async (name: string): Promise<string> =>
    (await statusOf(name)).services!.find((service) => service.name === 'web')!.wantedDigest!

  it('counts for no revision to come, and for no service that is not there', async () => {
    await stagelet('failing')
    await say('failing', {})
    const digest = await digestOf('failing')
    await say('failing', failed('ghost', digest))
    expect((await statusOf('failing')).quarantine).toBeUndefined()
    await say('failing', { revision: far, phase: 'Failed', ...failed('web', digest) })
    const { quarantine = [] } = await statusOf('failing')
    expect(quarantine.map(({ revision }) => revision)).toEqual([await closed()])
  })

  it('goes with the machine', async () => {
    await stagelet('moved')
    await say('moved', { revision: far })
    await say('moved', failed('web', await digestOf('moved')))
    expect((await statusOf('moved')).quarantine).toHaveLength(1)
    await world.admin('PATCH', '/stagelets/default%2Fmoved', { agent: 'box-b' })
    await passes(async () => (await statusOf('moved')).quarantine === undefined)
    const { revision } = await world.b.ordered('moved')
    expect(await world.b.ordered('moved')).toMatchObject({ revision: await closed() })
    expect((await statusOf('moved')).healthyRevision ?? 0).toBeLessThanOrEqual(revision)
  })
})
