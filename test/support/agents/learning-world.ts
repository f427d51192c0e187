// Two replicas, two machines and people of several roles, with a canary in each value that there is. All that goes to the
// second replica goes through a proxy that keeps it: the stream of the first machine, and what the first replica sends.
import { randomBytes } from 'node:crypto'
import type { AgentIdentity } from '../../../agent/identity/identity.ts'
import { parseJoinToken, type JoinToken } from '../../../src/protocol/join-token.ts'
import { createCanaries, type Canaries } from '../canaries.ts'
import { startRecordingProxy, type RecordingProxy } from '../http/recording-proxy.ts'
import { startTestController, type Answer, type TestController } from '../programs/controller.ts'
import { joinTestAgent } from './agent-protocol.ts'
import { startOpeningAgent, type OpeningAgent } from './opening-agent.ts'

const kube = '/apis/stagely.dev/v1alpha1/namespaces'
export const shop = '/projects/default%2Fshop'

/** No form of a service, and odd enough for whoever writes it down. */
const odd = (name: string): string => `kanarie "${name}" <${randomBytes(8).toString('hex')}> $&\\`

export type Who = 'admin' | 'owner' | 'viewer' | 'auditor' | 'developer of preview' | 'preview'

export interface LearningWorld {
  readonly canaries: Canaries
  readonly first: TestController
  readonly second: TestController
  readonly firstProxy: RecordingProxy
  readonly secondProxy: RecordingProxy
  /** Its stream is at the second replica. It runs the stagelet web-a. */
  readonly a: OpeningAgent
  /** Its stream is at the first replica. It runs the stagelet web-b. */
  readonly b: OpeningAgent
  /** Throws where the answer is no success; paths begin below /api/v1. */
  admin(method: string, path: string, body?: object): Promise<Answer>
  by(who: Who, method: string, path: string, init?: Init): Promise<Answer>
  apply(kind: string, name: string, spec: object, namespace?: string): Promise<void>
  joinToken(name: string, body?: object): Promise<JoinToken>
  /** What machine A does with orders that wait for an answer; it answers looks by nothing found. */
  onTask: (task: Readonly<Record<string, unknown>>) => void
  /** Where machine A answers looks. */
  answersAt: string
  stop(): Promise<void>
}

interface Init {
  readonly body?: object
  readonly headers?: Record<string, string>
}

const secretKeysOf = ({ ed25519, x25519 }: AgentIdentity): Buffer[] =>
  [ed25519, x25519.privateKey].map((key) =>
    Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'),
  )

/** By its key: what it is, and the value. The names of the first two are those of `own`. */
const plantSecrets = async (world: Pick<LearningWorld, 'apply' | 'admin' | 'canaries'>) => {
  const { apply, admin, canaries } = world
  const plant = (name: string, value = odd(name)): string => {
    canaries.add(name, value)
    return value
  }
  const secret = (name: string, spec: object): Promise<void> =>
    apply('StagelySecret', name, {
      projectRef: { name: 'shop' },
      key: name.toUpperCase().replaceAll('-', '_'),
      ...spec,
    })
  const token = (): string => `sk_live_${randomBytes(24).toString('hex')}`
  const own = { stageletRef: { name: 'web-a' } }
  await secret('own', { ...own, value: plant('old version', token()) })
  await secret('deleted', { value: plant('deleted') })
  await admin('DELETE', `${shop}/secrets/deleted`)
  await admin('PATCH', `${shop}/secrets/own`, { value: plant('own', token()) })
  await secret('of-b', { stageletRef: { name: 'web-b' }, value: plant('of machine B', token()) })
  await secret('in-preview', { environments: ['preview'], value: plant('of preview') })
  await secret('plain', { visibility: 'Plain', value: plant('plain') })
  await secret('for-controller', { audience: 'Controller', value: plant('for the controller') })
  await secret('db-admin', { audience: 'Controller', value: plant('of the administrator') })
  await secret('empty', { valueFrom: { rotation: { name: 'none', output: 'token' } } })
  await secret('awaits', { references: true, value: `${plant('awaiting')} \${EMPTY}` })
  await apply('Project', 'bank', {}, 'other')
  const bank = { projectRef: { name: 'bank' }, key: 'BANK', value: plant('of another team') }
  await apply('StagelySecret', 'bank', bank, 'other')
}

export const startLearningWorld = async (): Promise<LearningWorld> => {
  const canaries = createCanaries()
  const masterKey = randomBytes(32)
  canaries.add('master key', masterKey)
  const env = { STAGELY_SECRET_KEY: masterKey.toString('base64') }
  const first = await startTestController({ env })
  canaries.add('token of the admin', first.token)
  const later = { url: '' }
  const firstProxy = await startRecordingProxy(first)
  const secondProxy = await startRecordingProxy(later)
  const second = await startTestController({
    dataDir: first.dataDir,
    env,
    argv: ['--insecure-http', '--peer-url', secondProxy.url],
  })
  later.url = second.url
  const tokens = new Map<Who, string>([['admin', first.token]])

  const by: LearningWorld['by'] = (who, method, path, { headers, ...init } = {}) => {
    const authorization = `Bearer ${tokens.get(who) ?? ''}`
    return first.call(method, path, { ...init, headers: { authorization, ...headers } })
  }
  const admin: LearningWorld['admin'] = async (method, path, body) => {
    const answer = await by('admin', method, `/api/v1${path}`, body === undefined ? {} : { body })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer
  }
  const apply: LearningWorld['apply'] = async (kind, name, spec, namespace = 'default') => {
    const body = { apiVersion: 'stagely.dev/v1alpha1', kind, metadata: { name }, spec }
    const path = `${kube}/${namespace}/${kind.toLowerCase()}s`
    const answer = await by('admin', 'POST', path, { body })
    if (answer.status >= 300) throw new Error(`${path}/${name}: ${answer.text}`)
  }
  const joinToken: LearningWorld['joinToken'] = async (name, body = {}) => {
    await apply('Agent', name, 'ephemeral' in body ? { ephemeral: { goneAfter: '10m' } } : {})
    const made = await admin('POST', `/agents/default%2F${name}/join-token`, body)
    const token = parseJoinToken(made.json<{ token: string }>().token)
    canaries.add(`join token of ${name}`, token.tokenSecret)
    return token
  }
  const joined = async (name: string): Promise<AgentIdentity> => {
    const identity = await joinTestAgent(await joinToken(name))
    secretKeysOf(identity).forEach((key, i) => canaries.add(`key ${i} of ${name}`, key))
    return identity
  }

  await admin('POST', '/teams', { name: 'other' })
  await apply('Project', 'shop', { environments: [{ name: 'production' }, { name: 'preview' }] })
  const identities = [await joined('box-a'), await joined('box-b')] as const
  await plantSecrets({ apply, admin, canaries })
  for (const n of ['a', 'b'])
    await apply('Stagelet', `web-${n}`, {
      projectRef: { name: 'shop' },
      agentRef: { name: `box-${n}` },
      environment: 'production',
      compose: { directory: `/srv/${n}` },
    })
  const inPreview = { projects: ['shop'], environments: ['preview'] }
  const people: Partial<Record<Who, object>> = {
    owner: { role: 'owner' },
    viewer: { role: 'viewer' },
    auditor: { role: 'auditor' },
    'developer of preview': { role: 'developer', ...inPreview },
    preview: { role: 'owner', ...inPreview },
  }
  for (const [who, grant] of Object.entries(people) as [Who, object][]) {
    const name = who.replaceAll(' ', '-')
    await admin('POST', '/users', { name })
    await admin('PUT', `/teams/default/members/${name}`, grant)
    const made = await admin('POST', `/users/${name}/tokens`, { name: 'laptop' })
    const { token } = made.json<{ token: string }>()
    tokens.set(who, token)
    canaries.add(`token of ${who}`, token)
  }

  const start = (identity: AgentIdentity, at: string): Promise<OpeningAgent> => {
    const agent = startOpeningAgent(identity, at, (order) => {
      const isA = identity === identities[0]
      if (order['type'] === 'task') world.onTask(order)
      if (order['type'] !== 'lookFor') return
      const found = { id: order['id'], found: { places: [], unread: [] } }
      const where = isA ? world.answersAt : at
      agent.then((it) => it.post('/agent/v1/tasks', found, where)).catch(() => undefined)
    })
    return agent
  }
  const world: LearningWorld = {
    canaries,
    first,
    second,
    firstProxy,
    secondProxy,
    admin,
    by,
    apply,
    joinToken,
    a: await start(identities[0], secondProxy.url),
    b: await start(identities[1], firstProxy.url),
    onTask: () => undefined,
    answersAt: secondProxy.url,
    stop: async () => {
      await world.a.stop()
      await world.b.stop()
      await second.stop()
      await first.remove()
      firstProxy.close()
      secondProxy.close()
    },
  }
  return world
}
