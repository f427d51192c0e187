// What was recorded of an agent, or is its own to say, comes again: by itself, by another machine of the team, by one of
// another team, and where only controllers may ask.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseJoinToken } from '../../../src/protocol/join-token.ts'
import { agentPaths } from '../../../src/protocol/messages.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { joinTestAgent } from '../../support/agents/agent-protocol.ts'
import { startLearningWorld, type LearningWorld } from '../../support/agents/learning-world.ts'
import {
  observationOf,
  startOpeningAgent,
  type OpeningAgent,
} from '../../support/agents/opening-agent.ts'
import { passes } from '../../support/eventually.ts'
import type { Recorded } from '../../support/http/recording-proxy.ts'
import type { AgentIdentity } from '../../../agent/identity/identity.ts'

const kube = '/apis/stagely.dev/v1alpha1/namespaces/default'
let world: LearningWorld
let foreign: OpeningAgent
/** An agent of the first team, which this test has the keys of. */
let own: AgentIdentity

const joined = async (team: string, name: string): Promise<AgentIdentity> => {
  await world.apply('Agent', name, {}, team)
  const made = await world.admin('POST', `/agents/${team}%2F${name}/join-token`, {})
  return joinTestAgent(parseJoinToken(made.json<{ token: string }>().token))
}
const open = (identity: AgentIdentity): Promise<OpeningAgent> =>
  startOpeningAgent(identity, world.secondProxy.url, () => undefined)

beforeAll(async () => {
  world = await startLearningWorld()
  foreign = await open(await joined('other', 'box-c'))
  own = await joined('default', 'box-d')
  await world.a.told('bundle')
})
afterAll(async () => {
  await foreign?.stop()
  await world?.stop()
})

const others = (): readonly (readonly [string, OpeningAgent])[] => [
  ['of the team', world.b],
  ['of another team', foreign],
]

it('a report about a stagelet of another machine changes nothing', async () => {
  const item = await world.a.ordered('web-a')
  const status = async (): Promise<StageletStatus> =>
    (await world.by('admin', 'GET', `${kube}/stagelets/web-a`)).json<{ status: StageletStatus }>()
      .status
  const web = { name: 'web', digests: [''], containers: 1, state: 'running', restarts: 77 }
  const observations = [observationOf(item, { services: [web] })]
  const body = (boot: string) => ({ boot, seq: 1, observations })
  for (const [who, agent] of others())
    for (const boot of [agent.boot, world.a.boot]) {
      const said = await agent.post(agentPaths.report, body(boot))
      expect(said, who).not.toBe('{"refused":[]}')
    }
  expect(await world.a.post(agentPaths.report, body(world.a.boot))).toBe('{"refused":[]}')
  await passes(async () => (await status()).services?.[0]?.restarts === 77)
})

it('lines and counts that another machine was asked for are taken of it alone', async () => {
  const reading = world.second.open('/api/v1/stagelets/default%2Fweb-a/logs', {})
  const { session } = JSON.parse(await world.a.told('logs')) as { session: string }
  const time = '2026-01-31T10:00:00Z'
  const line = { type: 'line', service: 'web', container: 'c', stream: 'stdout', time }
  const batch = (text: string) => ({ session, seq: 0, records: [{ ...line, text }] })
  for (const [, agent] of others())
    for (const at of [world.first.url, world.second.url])
      expect(await agent.post(agentPaths.logs, batch('forged'), at)).toContain('404')
  expect(await world.a.post(agentPaths.logs, batch('true'))).toBe('{"state":"taken"}')
  const stream = await reading
  let told = ''
  for await (const chunk of stream) if ((told += String(chunk)).includes('true')) break
  expect(told).not.toContain('forged')

  const counting = world.admin('POST', '/stagelets/default%2Fweb-a/printed', {})
  const { id } = JSON.parse(await world.a.told('countPrinted')) as { id: string }
  const printed = { services: [], complete: true }
  for (const [, agent] of others())
    expect(await agent.post(agentPaths.tasks, { id, printed })).toBe('{"state":"ended"}')
  expect(await world.a.post(agentPaths.tasks, { id, printed })).toBe('{"state":"taken"}')
  await counting
})

it('a new stream is told of the agent’s own stagelets, whatever it says that it holds', async () => {
  const { uid, projectUid, epoch, revision } = await world.a.ordered('web-a')
  const holds = [{ stageletUid: uid, projectUid, epoch, revision }]
  for (const identity of [own, await joined('other', 'box-e')]) {
    const agent = await startOpeningAgent(identity, world.secondProxy.url, () => undefined, {
      holds,
    })
    expect(await agent.told('desired')).not.toMatch(/web-a|web-b/)
    await agent.stop()
  }
})

it('of two streams with one key the newer one is told, and the older one ends', async () => {
  await world.apply('Stagelet', 'web-d', {
    projectRef: { name: 'shop' },
    agentRef: { name: 'box-d' },
    compose: { directory: '/srv/d' },
  })
  const [first, second] = [await open(own), await open(own)]
  await expect(first.told('nothing')).rejects.toThrow('the stream has ended')
  expect((await second.ordered('web-d')).name).toBe('web-d')
  await first.stop()
  await second.stop()
})

it('nothing that was recorded counts again, under no other name, and at no controller', async () => {
  const recorded: Recorded[] = [...world.secondProxy.recorded, ...world.firstProxy.recorded].filter(
    ({ path }) => path.startsWith('/agent/') && path !== agentPaths.sign,
  )
  expect(new Set(recorded.map(({ path }) => path)).size).toBeGreaterThan(3)
  const renamed = ({ headers, ...rest }: Recorded, uid: string): Recorded => ({
    ...rest,
    headers: {
      ...headers,
      authorization: (headers.authorization ?? '').replace(/^(Stagely-Key )[\w-]+/, `$1${uid}`),
    },
  })
  const before = await world.by('admin', 'GET', `${kube}/agents`)
  for (const request of recorded.filter(({ path }) => path !== agentPaths.join))
    for (const { url } of [world.first, world.second])
      for (const one of [request, renamed(request, own.agentUid)]) {
        const { status } = await world.secondProxy.send(url, one)
        expect([401, 426], `${one.path} ${one.headers.authorization?.slice(0, 16)}`).toContain(
          status,
        )
      }
  const readyIn = (text: string): string[] => text.match(/"type":"Ready","status":"\w+"/g) ?? []
  const after = await world.by('admin', 'GET', `${kube}/agents`)
  expect(readyIn(after.text)).toEqual(readyIn(before.text))
})

it('what replicas ask of each other nobody else may ask', async () => {
  const ofPeers = world.secondProxy.recorded.filter(({ path }) => path.startsWith('/peer/'))
  expect(ofPeers.length).toBeGreaterThan(0)
  const tokens = ofPeers.map(({ headers }) => String(headers['x-stagely-peer']))
  const agents = world.secondProxy.recorded.flatMap(({ headers }) => headers.authorization ?? [])
  const logins = [`Bearer ${world.first.token}`, world.first.token]
  const paths = ['logs/ask', 'logs/take', 'tasks/ask', 'tasks/take', 'signs']
  const order = { type: 'logs', session: 'x.y', stageletUid: 'z', tail: 1, follow: false }
  const bodies = [{ agentKey: 'default/box-a', order }, { signs: [] }]
  const credentials = [
    ...[...agents.slice(-4), ...logins].flatMap((one) => [
      { authorization: one },
      { 'x-stagely-peer': one },
    ]),
    ...tokens.slice(-3).map((one) => ({ 'x-stagely-peer': one })),
  ]
  for (const { url } of [world.first, world.second]) {
    for (const path of paths)
      for (const headers of credentials)
        for (const body of bodies) {
          const { status } = await world.secondProxy.send(url, {
            method: 'POST',
            path: `/peer/v1/${path}`,
            headers: { 'content-type': 'application/json', ...headers },
            body: Buffer.from(JSON.stringify(body)),
          })
          expect(status, `${path} ${JSON.stringify(headers).slice(0, 40)}`).toBe(401)
        }
    for (const request of ofPeers)
      expect((await world.secondProxy.send(url, request)).status).toBe(401)
  }
})
