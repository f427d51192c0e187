// A machine in foreign hands says that the newest set fails there, and that it runs an older one. It gets none that was closed
// before it had the stagelet.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { agentPaths } from '../../../src/protocol/messages.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import {
  shop,
  startLearningWorld,
  type LearningWorld,
} from '../../support/agents/learning-world.ts'
import { observationOf } from '../../support/agents/opening-agent.ts'
import { passes } from '../../support/eventually.ts'

let world: LearningWorld
let seq = 0
beforeAll(async () => {
  world = await startLearningWorld()
})
afterAll(() => world?.stop())

const kube = '/apis/stagely.dev/v1alpha1/namespaces/default'
const statusOf = async (name: string): Promise<StageletStatus> =>
  (await world.by('admin', 'GET', `${kube}/stagelets/${name}`)).json<{ status: StageletStatus }>()
    .status
const closed = async (): Promise<number> =>
  (await world.by('admin', 'GET', `${kube}/projects/shop`)).json<{ status: { revision: number } }>()
    .status.revision
/** Once the write is in a closed revision. */
const inRevision = async (write: () => Promise<unknown>): Promise<void> => {
  const before = await closed()
  await write()
  await passes(async () => (await closed()) > before)
}

const say = async (name: string, more: object): Promise<void> => {
  const item = await world.a.ordered(name)
  const web = { name: 'web', digests: [''], containers: 1, state: 'running', restarts: 0 }
  const observation = observationOf(item, { phase: 'Failed', services: [web], ...more })
  for (const restarts of [1, 2]) {
    seq += 1
    const observations = [{ ...observation, services: [{ ...web, restarts: 10 * seq + restarts }] }]
    const body = { boot: world.a.boot, seq, observations }
    expect(await world.a.post(agentPaths.report, body)).toBe('{"refused":[]}')
  }
  await passes(
    async () =>
      (await statusOf(name)).services?.find((s) => s.name === 'web')?.restarts === 10 * seq + 2,
  )
}

/** Bundles of a stagelet: how each was named, and what was in it. */
const sent = async (uid: string): Promise<string[]> => {
  const lines = (await world.a.told('bundle')).split('\n')
  return lines.flatMap((line, i) =>
    line.startsWith('{"type":"bundle"') && line.includes(uid) ? [line, lines[i + 1]!] : [],
  )
}

it('of a stagelet that it has had from a later revision on', async () => {
  const value = 'canary of somebody who has left'
  world.canaries.add('leaver', value)
  const spec = { projectRef: { name: 'shop' }, key: 'LEAVER', value }
  await inRevision(() => world.apply('StagelySecret', 'leaver', spec))
  const had = await closed()
  await inRevision(() => world.admin('DELETE', `${shop}/secrets/leaver`))
  await world.apply('Stagelet', 'late', {
    projectRef: { name: 'shop' },
    agentRef: { name: 'box-a' },
    environment: 'production',
    compose: { directory: '/srv/late' },
  })
  const { revision, uid } = await world.a.ordered('late')
  await say('late', { phase: 'Pending' })
  const digest = (await statusOf('late')).services!.find((s) => s.name === 'web')!.wantedDigest!
  const quarantine = [{ service: 'web', digest, revision, retry: '', message: 'it died' }]
  await say('late', { revision: had, quarantine })
  await say('late', { revision: had, quarantine })
  expect((await statusOf('late')).quarantine).toHaveLength(1)
  expect((await statusOf('late')).wantedRevision).toBe(revision)
  await world.admin('PATCH', '/stagelets/default%2Flate', { paused: true })
  await world.a.told('stagelet', (text) => text.includes(uid) && text.includes('"paused":true'))
  expect(world.canaries.in((await sent(uid)).join('\n'))).not.toContain('leaver')
})

it('of a stagelet that another machine had before', async () => {
  await world.apply('Stagelet', 'moved', {
    projectRef: { name: 'shop' },
    agentRef: { name: 'box-b' },
    environment: 'production',
    compose: { directory: '/srv/moved' },
  })
  const web = { name: 'web', digests: [''], containers: 1, state: 'running', restarts: 0 }
  const item = await world.b.ordered('moved')
  const { uid, revision } = item
  const observations = [observationOf(item, { services: [web] })]
  await world.b.post(agentPaths.report, { boot: world.b.boot, seq: 1, observations })
  await passes(async () => (await statusOf('moved')).healthyRevision === revision)
  for (const value of ['second', 'third'])
    await inRevision(() => world.admin('PATCH', `${shop}/secrets/plain`, { value }))
  const newest = await closed()
  await passes(async () => (await statusOf('moved')).wantedRevision === newest)
  await world.admin('PATCH', '/stagelets/default%2Fmoved', { agent: 'box-a' })
  expect((await world.a.ordered('moved')).revision).toBe(newest)
  await say('moved', { phase: 'Pending' })
  const digest = (await statusOf('moved')).services!.find((s) => s.name === 'web')!.wantedDigest!
  const quarantine = [{ service: 'web', digest, revision: newest, retry: '', message: 'it died' }]
  await say('moved', { revision, quarantine })
  expect(await statusOf('moved')).toMatchObject({ wantedRevision: newest, healthyAgent: 'box-b' })
  const revisions = (await sent(uid)).flatMap((line) => /"revision":(\d+)/.exec(line)?.[1] ?? [])
  expect(revisions).toEqual([String(newest)])
})
