// A controller with a project shop, in which production and preview are apart, and a project bank, and logins that are
// narrowed to some of it.
import { startTestController, type TestController } from './controller.ts'

export const group = '/apis/stagely.dev/v1alpha1'
export const shop = '/api/v1/projects/default%2Fshop'

/** Names and values that a login for previews of the shop must never read. */
export const hidden = /hidden|web-prod|PROD_KEY|prod-value|bank/

interface Answer {
  readonly status: number
  readonly text: string
}

export interface NarrowedWorld {
  readonly controller: TestController
  /** Tokens by the name of who has them. */
  readonly tokens: Map<string, string>
  /** The version of before. */
  readonly since: string
  readonly as: (who: string, method: string, path: string, body?: unknown) => Promise<Answer>
  /** Throws where the answer is no success. */
  readonly admin: (method: string, path: string, body?: unknown) => Promise<Answer>
  readonly apply: (plural: string, kind: string, name: string, spec: object) => Promise<Answer>
  readonly secret: (name: string, spec: object) => Promise<Answer>
  readonly stagelet: (name: string, spec: object) => Promise<Answer>
  /** A machine's token. */
  readonly make: (name: string, role: string, more: object) => Promise<void>
  /** A person in the team, with a token. */
  readonly member: (name: string, grant: object) => Promise<void>
}

export const startNarrowedWorld = async (): Promise<NarrowedWorld> => {
  const controller = await startTestController()
  const tokens = new Map<string, string>()
  const as = async (who: string, method: string, path: string, body?: unknown): Promise<Answer> => {
    const isPatch = method === 'PATCH' && path.startsWith('/apis/')
    const headers = {
      authorization: `Bearer ${tokens.get(who) ?? controller.token}`,
      'content-type': isPatch ? 'application/merge-patch+json' : 'application/json',
    }
    const asked = body === undefined ? { headers } : { headers, body }
    const { status, text } = await controller.call(method, path, asked)
    return { status, text }
  }
  const admin = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const answer = await as('admin', method, path, body)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer
  }
  const apply = (plural: string, kind: string, name: string, spec: object): Promise<Answer> =>
    admin('POST', `${group}/namespaces/default/${plural}`, {
      apiVersion: 'stagely.dev/v1alpha1',
      kind,
      metadata: { name },
      spec,
    })
  const secret = (name: string, spec: object): Promise<Answer> =>
    apply('stagelysecrets', 'StagelySecret', name, {
      projectRef: { name: 'shop' },
      scope: 'global',
      ...spec,
    })
  const stagelet = (name: string, spec: object): Promise<Answer> =>
    apply('stagelets', 'Stagelet', name, {
      projectRef: { name: 'shop' },
      agentRef: { name: 'box' },
      compose: { directory: `/srv/${name}` },
      ...spec,
    })

  const { text } = await apply('agents', 'Agent', 'box', {})
  const since = (JSON.parse(text) as { metadata: { resourceVersion: string } }).metadata
    .resourceVersion
  const environments = [
    { name: 'production' },
    { name: 'preview' },
    { name: 'isolated', inherits: 'Nothing' },
  ]
  await apply('projects', 'Project', 'shop', { environments })
  await apply('projects', 'Project', 'bank', {})
  await stagelet('web-prod', { environment: 'production' })
  await stagelet('web-pr', { environment: 'preview' })
  await stagelet('hidden-bank', { projectRef: { name: 'bank' } })
  await secret('hidden-prod', {
    key: 'PROD_KEY',
    value: 'prod-value',
    environments: ['production'],
  })
  await secret('hidden-own', {
    key: 'OWN',
    value: 'prod-value',
    stageletRef: { name: 'web-prod' },
  })
  await secret('hidden-bank', { projectRef: { name: 'bank' }, key: 'K', value: 'prod-value' })
  await secret('shared', { key: 'SHARED', value: 'shared-value' })
  await secret('in-pr', { key: 'IN_PR', value: 'pr-value', environments: ['preview'] })
  const tokenAt = async (path: string, name: string, body: object): Promise<void> => {
    const { text } = await admin('POST', path, body)
    tokens.set(name, (JSON.parse(text) as { token: string }).token)
  }
  const make = (name: string, role: string, more: object): Promise<void> =>
    tokenAt('/api/v1/teams/default/tokens', name, { name, role, ...more })
  const member = async (name: string, grant: object): Promise<void> => {
    await admin('POST', '/api/v1/users', { name })
    await admin('PUT', `/api/v1/teams/default/members/${name}`, grant)
    await tokenAt(`/api/v1/users/${name}/tokens`, name, { name: 'laptop' })
  }
  const preview = { projects: ['shop'], environments: ['preview'] }
  await make('ci', 'deployer', preview)
  await make('lead', 'owner', preview)
  await make('isolated', 'owner', { environments: ['isolated'] })
  await make('shop', 'owner', { projects: ['shop'] })
  await make('one', 'owner', { stagelets: ['web-pr'] })
  return { controller, tokens, since, as, admin, apply, secret, stagelet, make, member }
}
