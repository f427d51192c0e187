// Narrowed logins in a team that is full of what they may not know ask all that can be asked. What a request names is in
// view; no answer, watch or stream says more of the rest than the request itself.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { restRoutes } from '../../../controller/http/rest/table.ts'
import { kinds } from '../../../src/kinds/index.ts'
import { passes } from '../../support/eventually.ts'
import {
  group,
  shop,
  startNarrowedWorld,
  type NarrowedWorld,
} from '../../support/programs/narrowed-world.ts'

const kube = `${group}/namespaces/default`
/** Of production, of other projects, and of the whole team. */
const ofPart = /hidden|web-prod|PROD_KEY|prod-value|bank/g
/** Of other projects, and of the whole team. A secret of the project names its store. */
const ofProject = /bank|hidden-(agent|notifier|policy)/g
const logins = [
  ['ci', ofPart],
  ['lead', ofPart],
  ['one', ofPart],
  ['isolated', ofPart],
  ['shop', ofProject],
] as const

/** What is around each name that the request did not have. */
const told = (text: string, asked: string, hides: RegExp): string[] =>
  [...text.matchAll(hides)]
    .filter(([word]) => !decodeURIComponent(asked).includes(word))
    .map(({ index }) => text.slice(Math.max(0, index - 150), index + 60))

const fill = async (world: NarrowedWorld): Promise<void> => {
  const { admin, apply, secret, stagelet, member } = world
  const production = { environments: ['production'] }
  await apply('agents', 'Agent', 'hidden-agent', {})
  const labelled = { metadata: { labels: { previews: 'yes' } } }
  await admin('PATCH', `${kube}/agents/hidden-agent`, labelled)
  const webhook = { url: 'https://hidden.example.com/', signingKeyRef: { name: 'hidden-prod' } }
  await apply('notifiers', 'Notifier', 'hidden-notifier', { reasons: ['Expired'], webhook })
  await apply('secretstores', 'SecretStore', 'hidden-store', {
    vault: { address: 'https://hidden.example.com', jwt: { role: 'reader', mount: 'jwt' } },
    auth: { identity: 'vault' },
  })
  const from = (name: string, key: string, valueFrom: object): Promise<unknown> =>
    secret(name, { key, ...production, valueFrom })
  const value = (name: string, key: string, more: object = {}): Promise<unknown> =>
    secret(name, { key, ...production, value: `prod-value-of-${name}`, ...more })
  await from('hidden-external', 'PROD_KEY_2', { external: { store: 'hidden-store', key: 'db' } })
  await from('hidden-out', 'PROD_KEY_3', {
    rotation: { name: 'hidden-rotation', output: 'current' },
  })
  await apply('rotations', 'Rotation', 'hidden-rotation', {
    projectRef: { name: 'shop' },
    outputs: { current: 'hidden-out' },
    rotator: { generate: { length: 40, charset: 'hex' } },
  })
  await value('hidden-plain', 'PROD_KEY_4', { visibility: 'Plain' })
  await value('hidden-gone', 'PROD_KEY_5')
  await admin('DELETE', `${kube}/stagelysecrets/hidden-gone`)
  await value('hidden-shadow', 'SHARED')
  const referring = { references: true, value: 'at ${SHARED}' }
  await secret('hidden-referring', { key: 'PROD_KEY_6', ...production, ...referring })
  await secret('referring', { key: 'REFERRING', ...referring })
  await stagelet('hidden-stack', { environment: 'production' })
  await admin('PATCH', `${kube}/projects/shop`, {
    spec: {
      preview: {
        environment: 'preview',
        agentSelector: { matchLabels: { previews: 'yes' } },
        directory: '/srv/previews/{name}',
      },
    },
  })
  await member('ann', { role: 'developer' })
  const policy = { projects: ['bank'], approvals: { count: 1, roles: ['owner'] } }
  await apply('accesspolicies', 'AccessPolicy', 'hidden-policy', policy)
  await apply('trustedissuers', 'TrustedIssuer', 'hidden-issuer', {
    issuer: 'https://hidden.example.com',
    audience: 'https://stagely.example',
    rules: [{ claims: { repository: 'acme/hidden' }, role: 'deployer' }],
  })
  const reason = { reason: 'bank-incident' }
  const path = '/api/v1/projects/default%2Fbank/access-requests'
  const asked = await world.as('ann', 'POST', path, reason)
  expect(asked.status, asked.text).toBe(201)
}

const isStream = /\/(stream|logs|backup|export)$/
const reads = restRoutes.filter(({ method, path }) => method === 'GET' && !isStream.test(path))
const queryOf = (path: string): string =>
  /search$/.test(path) ? '?q=a' : /diff$/.test(path) ? '?from=0' : ''

/** Each parameter names what there is of it elsewhere; or, of the same length, what is nowhere. */
const elsewhere: Readonly<Record<string, readonly [there: string, nowhere: string]>> = {
  project_id: ['default%2Fbank', 'default%2Fbonk'],
  stagelet_id: ['default%2Fhidden-bank', 'default%2Fnobody-bonk'],
  agent_id: ['default%2Fhidden-agent', 'default%2Fnobody-agent'],
  notifier_id: ['default%2Fhidden-notifier', 'default%2Fnobody-notifier'],
  store_id: ['default%2Fhidden-store', 'default%2Fnobody-store'],
  issuer_id: ['default%2Fhidden-issuer', 'default%2Fnobody-issuer'],
  policy_id: ['default%2Fhidden-policy', 'default%2Fnobody-policy'],
  secret_id: ['hidden-prod', 'nobody-prod'],
  rotation: ['hidden-rotation', 'nobody-rotation'],
}

describe('narrowed logins in a full team', () => {
  let world: NarrowedWorld
  beforeAll(async () => {
    world = await startNarrowedWorld()
    await fill(world)
  }, 60_000)
  afterAll(() => world.controller.remove())

  const watched = async (who: string, path: string, from = world.since): Promise<string> =>
    (await world.as(who, 'GET', `${path}?watch=true&resourceVersion=${from}&timeoutSeconds=1`)).text

  /** What the narrowed logins are told by these requests that they may not know. */
  const toldBy = async (
    requests: readonly (readonly [method: string, path: string, body?: unknown])[],
  ): Promise<string[]> => {
    const found: string[] = []
    for (const [method, path, body] of requests)
      await Promise.all(
        logins.map(async ([who, hides]) => {
          const { status, text } = await world.as(who, method, path, body)
          const hasNoAgent = /has no connection/.test(text)
          expect(hasNoAgent || status < 500, `${who} ${method} ${path}: ${text}`).toBe(true)
          for (const around of told(text, `${path} ${JSON.stringify(body)}`, hides))
            found.push(`${who} ${method} ${path} ${status}: ${around}`)
        }),
      )
    return found
  }

  it('read nothing else by any route of REST', async () => {
    const values: Record<string, readonly string[]> = {
      project_id: ['default%2Fshop'],
      stagelet_id: ['default%2Fweb-pr'],
      secret_id: ['shared', 'in-pr', 'referring'],
      version: ['1'],
      revision: ['1', '3', '9'],
      team: ['default'],
    }
    const expand = (path: string): string[] => {
      const name = /:([a-z_]+)/.exec(path)?.[1]
      if (name === undefined) return [path]
      const named = values[name] ?? ['default%2Fnone']
      return named.flatMap((value) => expand(path.replace(`:${name}`, value)))
    }
    const paths = reads
      .flatMap(({ path }) => expand(path))
      .map((path) => ['GET', `/api/v1${path}${queryOf(path)}`] as const)
    expect(paths.length).toBeGreaterThan(60)
    expect(await toldBy(paths)).toEqual([])
  })

  it.each(['ci', 'lead'])('as %s, what is elsewhere is read as what is nowhere', async (who) => {
    const answerOf = async (path: string, which: 0 | 1): Promise<string> => {
      const filled = path.replace(
        /:(\w+)/g,
        (_, one: string) => elsewhere[one]?.[which] ?? 'default',
      )
      const { status, text } = await world.as(who, 'GET', `/api/v1${filled}${queryOf(path)}`)
      const told = text.replaceAll('hidden', 'nobody').replaceAll('bank', 'bonk')
      return `${status} ${told.replace(/"request_id":"[^"]*"/, '')}`
    }
    const named = reads.filter(({ path }) => /:\w/.test(path))
    expect(named.length).toBeGreaterThan(30)
    for (const { path } of named)
      expect(await answerOf(path, 0), path).toBe(await answerOf(path, 1))
  })

  it('read nothing else by lists and watches of the Kubernetes-style API', async () => {
    const lists = kinds.flatMap(({ plural }) => [`${group}/${plural}`, `${kube}/${plural}`])
    const events = ['/api/v1/events', '/api/v1/namespaces/default/events', '/api/v1/namespaces']
    const { since } = world
    const requests = [...lists, ...events].flatMap((path) => [
      ['GET', path] as const,
      ['GET', `${path}?resourceVersion=${since}&resourceVersionMatch=Exact&limit=500`] as const,
    ])
    expect(await toldBy(requests)).toEqual([])
    const found = await Promise.all(
      logins.flatMap(([who, hides]) =>
        [...lists, ...events].map(async (path) => told(await watched(who, path), path, hides)),
      ),
    )
    expect(found.flat()).toEqual([])
  })

  it('learn nothing else by what they try', async () => {
    const create = (name: string, spec: object): readonly [string, string, unknown] => [
      'POST',
      `${kube}/stagelysecrets?dryRun=All`,
      {
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'StagelySecret',
        metadata: { name },
        spec: {
          projectRef: { name: 'shop' },
          environments: ['preview'],
          scope: 'global',
          value: 'of-ci-1234',
          ...spec,
        },
      },
    ]
    const found = await toldBy([
      ['PUT', `${shop}/previews/p1`, {}],
      create('tries-1', { key: 'SHARED' }),
      create('tries-2', { key: 'REFERRING' }),
      create('tries-3', { key: 'R', references: true, value: 'x ${PROD_KEY}' }),
      create('tries-4', { key: 'IN_PR' }),
      ['PATCH', `${shop}/secrets/shared?dry_run=true`, { value: 'of-ci-12' }],
      ['PATCH', `${shop}/secrets/shared?dry_run=true`, { key: 'OTHER' }],
      ['DELETE', `${shop}/secrets/shared?dry_run=true`],
      ['POST', `${shop}/secrets/shared/rollback`, { version: 1 }],
      ['POST', `${shop}/secrets/shared/where`, {}],
      ['POST', '/api/v1/teams/default/where', { value: 'a-value-that-is-tried' }],
      ['POST', `${shop}/access-requests`, { reason: 'to see' }],
      ['POST', `${shop}/reveal`, { environment: 'production' }],
      ['DELETE', `${kube}/stagelysecrets?dryRun=All`],
      ['DELETE', `${kube}/stagelets?dryRun=All`],
      ['POST', '/api/v1/stagelets/default%2Fweb-pr/printed', {}],
      ['GET', `${shop}/secrets/shared/versions/1/exposure`],
      ['GET', `${shop}/revisions/1/receipt`],
    ])
    expect(found).toEqual([])
  })

  it('are told of a name that is hidden what they are told of one that nothing has, when they ask what they may', async () => {
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
    const review = async (who: string, resourceAttributes: object): Promise<unknown> => {
      const { text } = await world.as(who, 'POST', path, {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes },
      })
      return (JSON.parse(text) as { status: unknown }).status
    }
    for (const [who] of logins)
      for (const [resource, hidden] of [
        ['stagelysecrets', who === 'shop' ? 'hidden-bank' : 'hidden-prod'],
        ['stagelets', who === 'shop' ? 'hidden-bank' : 'web-prod'],
        ['projects', 'bank'],
      ] as const)
        for (const verb of ['get', 'create', 'update', 'patch', 'delete']) {
          const asked = { namespace: 'default', group: 'stagely.dev', resource, verb }
          const [there, nowhere] = [
            await review(who, { ...asked, name: hidden }),
            await review(who, { ...asked, name: 'nothing-xy' }),
          ]
          expect(there, `${who} ${verb} ${hidden}`).toEqual(nowhere)
        }
  })

  it('learn nothing of what had the name of their stagelet before', async () => {
    await world.stagelet('reused', { environment: 'production' })
    await world.secret('was-hidden', {
      key: 'PROD_KEY_9',
      stageletRef: { name: 'reused' },
      visibility: 'Plain',
      value: 'prod-value-of-reused',
    })
    const secrets = `${kube}/stagelysecrets`
    const first = JSON.parse((await world.as('ci', 'GET', `${secrets}?limit=1`)).text) as {
      metadata: { continue: string }
    }
    await world.admin('DELETE', `${secrets}/was-hidden`)
    await world.admin('DELETE', `${kube}/stagelets/reused`)
    await passes(
      async () => (await world.as('admin', 'GET', `${kube}/stagelets/reused`)).status === 404,
    )
    const made = await world.as('ci', 'POST', '/api/v1/stagelets', {
      team: 'default',
      name: 'reused',
      project: 'shop',
      agent: 'box',
      environment: 'preview',
      compose: { directory: '/srv/another' },
    })
    expect(made.status, made.text).toBe(201)
    expect(told(await watched('ci', secrets), '', ofPart)).toEqual([])
    const path = `${secrets}?continue=${encodeURIComponent(first.metadata.continue)}`
    const rest = await world.as('ci', 'GET', path)
    expect(rest.status, rest.text).toBe(200)
    expect(told(rest.text, '', ofPart)).toEqual([])
  })

  it('learn few folders and Compose projects of stacks elsewhere in an hour, also by dry runs', async () => {
    for (let i = 0; i < 21; i++)
      await world.stagelet(`hidden-${i}`, {
        environment: 'production',
        compose: { directory: `/srv/hidden-${i}`, projectName: `of-prod-${i}` },
      })
    const narrowing = { projects: ['shop'], environments: ['preview'] }
    await world.make('folder-guesser', 'deployer', narrowing)
    await world.make('project-guesser', 'deployer', narrowing)
    const make = async (who: string, name: string, compose: object): Promise<number> => {
      const path = `${group}/namespaces/default/stagelets?dryRun=All`
      const { status, text } = await world.as(who, 'POST', path, {
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'Stagelet',
        metadata: { name },
        spec: {
          projectRef: { name: 'shop' },
          agentRef: { name: 'box' },
          environment: 'preview',
          compose,
        },
      })
      if (status === 429) expect(text).toMatch(/20 names .*more would tell of names/)
      return status
    }
    const folder = (name: string) => ({ directory: `/srv/${name}` })
    const project = (projectName: string) => ({ ...folder('a-new-one'), projectName })
    const ways = [
      ['folder-guesser', folder, 'hidden-', 403],
      ['project-guesser', project, 'of-prod-', 422],
    ] as const
    for (const [who, compose, taken, refused] of ways) {
      expect(await make(who, 'free', compose('nobodys'))).toBe(201)
      for (let i = 0; i < 20; i++)
        expect(await make(who, 'free', compose(`${taken}${i}`))).toBe(refused)
      for (const name of [`${taken}20`, 'nobodys-2'])
        expect(await make(who, 'free', compose(name)), `${who} ${name}`).toBe(429)
    }
    for (let i = 0; i < 21; i++)
      await world.admin('DELETE', `${group}/namespaces/default/stagelets/hidden-${i}`)
  })

  it('learn nothing of a shared secret beside what they are shown, by tests of patches or by changes', async () => {
    const path = `${kube}/stagelysecrets/shared`
    const read = async (who: string) =>
      JSON.parse((await world.as(who, 'GET', path)).text) as {
        metadata: { managedFields: { subresource?: string }[]; resourceVersion: string }
        status: Record<string, unknown>
      }
    const [whole, seen] = [await read('admin'), await read('ci')]
    const patch = async (body: object): Promise<string> => {
      const { status, text } = await world.controller.call('PATCH', path, {
        headers: {
          authorization: `Bearer ${world.tokens.get('ci')}`,
          'content-type': 'application/json-patch+json',
        },
        body,
      })
      return `${status} ${text}`
    }
    const hidden = Object.keys(whole.status).filter((name) => !(name in seen.status))
    expect(hidden).toContain('conditions')
    for (const name of [...hidden, 'nothing']) {
      const test = { op: 'test', path: `/status/${name}` }
      expect(await patch([{ ...test, value: whole.status[name] ?? 'x' }])).toBe(
        await patch([{ ...test, value: 'y' }]),
      )
      // An absent field is null.
      expect(await patch([{ ...test, value: null }])).toMatch(/^403 .*counts elsewhere too/)
    }
    for (const value of ['shared-value', 'another'])
      expect(await patch([{ op: 'test', path: '/spec/value', value }])).toMatch(/^422 /)
    expect(seen.metadata.managedFields.filter(({ subresource }) => subresource)).toEqual([])
    // What changes in production alone makes another status, and no change for who sees previews.
    await world.stagelet('hidden-later', { environment: 'production' })
    await passes(async () => JSON.stringify(await read('admin')).includes('hidden-later'))
    const { resourceVersion } = whole.metadata
    const lines = async (who: string): Promise<string[]> => {
      const changes = await watched(who, `${kube}/stagelysecrets`, resourceVersion)
      return changes.split('\n').filter((line) => line.includes('"name":"shared"'))
    }
    expect(await lines('admin')).not.toEqual([])
    expect(await lines('ci')).toEqual([])
  })
})
