// What a token gets to know and to do that is narrowed to the environment preview of one project, by every way that leads
// to names or values of production or of another project.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { passes } from '../../support/eventually.ts'
import {
  group,
  hidden,
  shop,
  startNarrowedWorld,
  type NarrowedWorld,
} from '../../support/programs/narrowed-world.ts'

describe('a token narrowed to an environment', () => {
  let world: NarrowedWorld
  beforeAll(async () => {
    world = await startNarrowedWorld()
  })
  afterAll(() => world.controller.remove())

  interface Answer {
    readonly status: number
    readonly text: string
  }
  const as: NarrowedWorld['as'] = (...asked) => world.as(...asked)
  const admin: NarrowedWorld['admin'] = (...asked) => world.admin(...asked)
  const apply: NarrowedWorld['apply'] = (...asked) => world.apply(...asked)
  const secret: NarrowedWorld['secret'] = (...asked) => world.secret(...asked)

  const names = async (who: string, path: string): Promise<string[]> => {
    const { status, text } = await as(who, 'GET', path)
    expect(status, text).toBe(200)
    const found = JSON.parse(text) as Record<
      string,
      { name?: string; metadata?: { name: string } }[]
    >
    const items = found['items'] ?? Object.values(found)[0] ?? []
    return items.map(({ name, metadata }) => name ?? metadata?.name ?? '')
  }

  it('lists what counts there, in both APIs, with selectors, pages and counts', async () => {
    const secrets = `${group}/namespaces/default/stagelysecrets`
    for (const who of ['ci', 'lead']) {
      expect(await names(who, secrets)).toEqual(['in-pr', 'shared'])
      expect(await names(who, `${group}/stagelets`)).toEqual(['web-pr'])
      expect(await names(who, '/api/v1/stagelets')).toEqual(['web-pr'])
      expect(await names(who, `${secrets}?fieldSelector=metadata.name%3Dhidden-prod`)).toEqual([])
    }
    expect(await names('isolated', secrets)).toEqual([])
    expect(await names('one', `${group}/stagelets`)).toEqual(['web-pr'])
    expect(await names('shop', `${group}/projects`)).toEqual(['shop'])
    expect(await names('shop', '/api/v1/projects')).toEqual(['shop'])
    const { text } = await as('ci', 'GET', `${secrets}?limit=1`)
    expect(JSON.parse(text)).toMatchObject({ metadata: { remainingItemCount: 1 } })
    expect((await as('ci', 'GET', `${shop}/secrets?view=full`)).text).not.toMatch(hidden)
  })

  it('says of what is elsewhere what it says of nothing', async () => {
    const kube = `${group}/namespaces/default`
    const one = async (who: string, method: string, path: string, body?: unknown) => {
      const { status, text } = await as(who, method, path, body)
      const said = text.replace(/"requestId":"[^"]*"|"request_id":"[^"]*"|req[-_\w]*/g, '')
      return { status, said }
    }
    for (const who of ['ci', 'lead', 'one'])
      for (const [method, path, body] of [
        ['GET', `${kube}/stagelysecrets/NAME`],
        ['DELETE', `${kube}/stagelysecrets/NAME`],
        ['PATCH', `${kube}/stagelysecrets/NAME`, { spec: { value: 'x' } }],
        ['GET', `${shop}/secrets/NAME`],
        ['PATCH', `${shop}/secrets/NAME`, { value: 'x' }],
        ['DELETE', `${shop}/secrets/NAME`],
      ] as const) {
        const there = await one(who, method, path.replace('NAME', 'hidden-prod'), body)
        const nowhere = await one(who, method, path.replace('NAME', 'nothing-xy'), body)
        expect(there.status, `${who} ${method} ${path}: ${there.said}`).toBe(404)
        expect(there.said).toBe(nowhere.said.replaceAll('nothing-xy', 'hidden-prod'))
      }
    for (const path of ['', '/logs', '/rollouts'])
      expect((await as('lead', 'GET', `/api/v1/stagelets/default%2Fweb-prod${path}`)).status).toBe(
        404,
      )
    expect((await as('lead', 'POST', '/api/v1/stagelets/default%2Fweb-prod/deploy')).status).toBe(
      404,
    )
    expect((await as('shop', 'GET', '/api/v1/projects/default%2Fbank')).status).toBe(404)
    expect((await as('shop', 'GET', `${kube}/projects/bank`)).status).toBe(404)
  })

  it('names that are taken elsewhere are refused alike, whatever has them, and no key is', async () => {
    await secret('free-1.global.preview', {
      projectRef: { name: 'bank' },
      key: 'FREE_1',
      value: 'prod-value',
    })
    await secret('waits', { key: 'W', value: 'prod-value', stageletRef: { name: 'web-later' } })
    const make = (plural: string, kind: string, name: string, spec: object): Promise<Answer> =>
      as('ci', 'POST', `${group}/namespaces/default/${plural}`, {
        apiVersion: 'stagely.dev/v1alpha1',
        kind,
        metadata: { name },
        spec: { projectRef: { name: 'shop' }, ...spec },
      })
    const key = { key: 'ANY', scope: 'global', value: 'of-ci-1234', environments: ['preview'] }
    const stack = { agentRef: { name: 'box' }, compose: { directory: '/srv/any' } }
    const answers = await Promise.all([
      make('stagelysecrets', 'StagelySecret', 'hidden-prod', key),
      make('stagelysecrets', 'StagelySecret', 'hidden-bank', key),
      make('stagelets', 'Stagelet', 'web-prod', { ...stack, environment: 'preview' }),
      make('stagelets', 'Stagelet', 'web-later', { ...stack, environment: 'preview' }),
      make('stagelets', 'Stagelet', 'hidden-bank', { ...stack, environment: 'preview' }),
    ])
    const said = answers.map(({ status, text }) => {
      const { message } = JSON.parse(text) as { message: string }
      return `${status} ${message}`
    })
    expect([...new Set(said)]).toEqual([expect.stringMatching(/^403 .*name is not free/)])
    // Outside of its place a name is not looked at.
    const outside = { ...key, environments: ['production'] }
    for (const name of ['hidden-prod', 'nothing-xy'])
      expect((await make('stagelysecrets', 'StagelySecret', name, outside)).text).toContain(
        'would count elsewhere',
      )
    const before = await names('ci', `${group}/stagelysecrets`)
    const ids: string[] = []
    for (const name of ['FREE_1', 'FREE_2']) {
      const body = { key: name, environments: ['preview'], value: 'of-ci-1234' }
      const { status, text } = await as('ci', 'POST', `${shop}/secrets`, body)
      expect(status, text).toBe(201)
      ids.push((JSON.parse(text) as { id: string }).id)
    }
    const after = await names('ci', `${group}/stagelysecrets`)
    expect(after.filter((name) => !before.includes(name))).toEqual([
      'free-1.global.preview.shop',
      'free-2.global.preview.shop',
    ])
    for (const id of ids)
      expect((await as('ci', 'DELETE', `${shop}/secrets/${id}`)).status).toBe(200)
  })

  it('of names that are taken elsewhere, a login learns few in an hour, also by dry runs', async () => {
    const names = Array.from({ length: 21 }, (_, i) => `taken-${i}`)
    for (const [i, name] of names.entries())
      await secret(name, { key: `T_${i}`, value: 'prod-value', environments: ['production'] })
    const narrowing = { projects: ['shop'], environments: ['preview'] }
    await world.make('guesser', 'deployer', narrowing)
    await world.make('other', 'deployer', narrowing)
    const make = async (who: string, name: string, query = ''): Promise<number> => {
      const path = `${group}/namespaces/default/stagelysecrets${query}`
      const spec = { projectRef: { name: 'shop' }, key: 'ANY', scope: 'global', value: 'of-ci-12' }
      const { status, text } = await as(who, 'POST', path, {
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'StagelySecret',
        metadata: { name },
        spec: { ...spec, environments: ['preview'] },
      })
      if (status === 429) expect(text).toMatch(/20 names .*more would tell of names/)
      return status
    }
    const dry = '?dryRun=All'
    expect(await make('guesser', 'free-name', dry)).toBe(201)
    for (const [i, name] of names.slice(0, 20).entries())
      expect(await make('guesser', name, i % 2 === 0 ? dry : '')).toBe(403)
    // Another name is not judged any more, taken or free: the answer would tell.
    for (const name of ['taken-20', 'free-name'])
      for (const query of [dry, '']) expect(await make('guesser', name, query)).toBe(429)
    expect(await make('guesser', 'taken-3', dry)).toBe(403)
    expect(await make('other', 'free-name', dry)).toBe(201)
    for (const name of names)
      await admin('DELETE', `${group}/namespaces/default/stagelysecrets/${name}`)
  })

  it('writes there, and nothing that counts elsewhere too', async () => {
    const create = (body: object): Promise<Answer> => as('ci', 'POST', `${shop}/secrets`, body)
    const value = { value: 'of-ci-1234' }
    const refused = async (answer: Promise<Answer>): Promise<void> => {
      const { status, text } = await answer
      expect(status, text).toBe(403)
      expect(text).not.toMatch(/hidden|prod-value|bank/)
    }
    expect((await create({ key: 'MINE', environments: ['preview'], ...value })).status).toBe(201)
    await refused(create({ key: 'WIDE', ...value }))
    await refused(create({ key: 'BOTH', environments: ['preview', 'production'], ...value }))
    await refused(create({ key: 'OTHER', stagelet: 'web-prod', ...value }))
    expect((await create({ key: 'OWN_PR', stagelet: 'web-pr', ...value })).status).toBe(201)
    // What it sees and others see too is not its to change, and what is its own stays there.
    await refused(as('ci', 'PATCH', `${shop}/secrets/shared`, value))
    await refused(as('ci', 'DELETE', `${shop}/secrets/shared`))
    await refused(as('ci', 'PATCH', `${shop}/secrets/in-pr`, { environments: null }))
    await refused(as('ci', 'PATCH', `${shop}/secrets/in-pr`, { environments: ['production'] }))
    await refused(
      as('lead', 'PATCH', `${group}/namespaces/default/stagelysecrets/in-pr`, {
        spec: { environments: null },
      }),
    )
    await refused(
      as('lead', 'PATCH', `${group}/namespaces/default/stagelets/web-pr`, {
        spec: { environment: 'production' },
      }),
    )
    const batch = (operations: object[]): Promise<Answer> =>
      as('ci', 'POST', `${shop}/secrets/batch`, { operations })
    await refused(batch([{ op: 'create', key: 'B', ...value }]))
    const foreign = await batch([{ op: 'delete', id: 'hidden-prod' }])
    expect([foreign.status, foreign.text]).toEqual([422, expect.stringContaining('not found')])
    const dry = await as('ci', 'PATCH', `${shop}/secrets/in-pr?dry_run=true`, value)
    expect([dry.status, dry.text]).toEqual([200, expect.not.stringMatching(hidden)])
    const stack = { name: 'pr-2', project: 'shop', agent: 'box', compose: { directory: '/srv/2' } }
    await refused(as('ci', 'POST', '/api/v1/stagelets', stack))
    await refused(as('ci', 'POST', '/api/v1/stagelets', { ...stack, environment: 'production' }))
    const made = await as('ci', 'POST', '/api/v1/stagelets', { ...stack, environment: 'preview' })
    expect(made.status, made.text).toBe(201)
  })

  it('brings no value of elsewhere along', async () => {
    const follow = (from: object): Promise<Answer> =>
      as('ci', 'POST', `${group}/namespaces/default/stagelysecrets`, {
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'StagelySecret',
        metadata: { name: 'follower' },
        spec: {
          projectRef: { name: 'shop' },
          key: 'FOLLOWER',
          scope: 'global',
          environments: ['preview'],
          valueFrom: from,
        },
      })
    const messages = new Set<string>()
    for (const name of ['hidden-prod', 'hidden-own', 'hidden-bank', 'nothing']) {
      const { status, text } = await follow({ secretRef: { name } })
      expect(status, text).toBe(403)
      messages.add((JSON.parse(text) as { message: string }).message)
    }
    expect(messages.size).toBe(1)
    const external = await follow({ external: { store: 'vault', key: 'prod/db' } })
    expect(external.status, external.text).toBe(403)
    const own = await follow({ secretRef: { name: 'in-pr' } })
    expect(own.status, own.text).toBe(201)
    const reveal = (who: string, body: object): Promise<Answer> =>
      as(who, 'POST', `${shop}/reveal`, body)
    // Values in view: of its own, and of the project, as its stagelets get them.
    for (const body of [{}, { environment: 'preview' }, { stagelet: 'web-pr' }]) {
      const { status, text } = await reveal('lead', body)
      expect(status, text).toBe(200)
      expect(text).toContain('shared-value')
      expect(text).not.toMatch(hidden)
    }
    for (const body of [{ environment: 'production' }, { stagelet: 'web-prod' }])
      expect((await reveal('lead', body)).text).not.toMatch(hidden)
    expect((await reveal('ci', {})).status).toBe(403)
    expect((await as('lead', 'POST', `${shop}/secrets/hidden-prod/reveal`, {})).status).toBe(404)
  })

  it('leads an attacker to no value of production, by whatever way', async () => {
    const own = { environments: ['preview'], scope: 'global' }
    const kube = `${group}/namespaces/default`
    const object = (kind: string, spec: object): object => ({
      apiVersion: 'stagely.dev/v1alpha1',
      kind,
      metadata: { name: 'attack' },
      spec,
    })
    const store = { aws: { region: 'eu-central-1' }, auth: { secretRef: { name: 'hidden-prod' } } }
    const stack = { project: 'shop', agent: 'box', environment: 'preview', name: 'attack' }
    const ways: readonly (readonly [way: string, method: string, path: string, body?: object])[] = [
      [
        'references',
        'POST',
        `${shop}/secrets`,
        { ...own, key: 'LEAK', value: 'x-${PROD_KEY}', references: true },
      ],
      ['stores', 'POST', `${kube}/secretstores`, object('SecretStore', store)],
      ['stores', 'GET', '/api/v1/stores'],
      ['rotations', 'GET', `${shop}/rotations`],
      ['rotations', 'POST', `${kube}/rotations`, object('Rotation', { outputs: {} })],
      [
        'differsFrom',
        'PATCH',
        shop,
        { environments: [{ name: 'preview', differs_from: ['production'] }] },
      ],
      ['classes', 'POST', `${shop}/value-classes`, {}],
      ['logs', 'GET', '/api/v1/stagelets/default%2Fweb-prod/logs'],
      ['run', 'POST', `${shop}/reveal`, { way: 'run', stagelet: 'web-prod', service: 'web' }],
      ['run', 'POST', `${shop}/reveal`, { way: 'run', environment: 'production', service: 'web' }],
      ['export', 'POST', `${shop}/reveal`, { as_written: true }],
      ['compose', 'POST', '/api/v1/stagelets/default%2Fweb-prod/deploy'],
      ['files', 'POST', '/api/v1/stagelets', { ...stack, compose: { directory: '/srv/web-prod' } }],
      [
        'files',
        'POST',
        '/api/v1/stagelets',
        { ...stack, compose: { directory: '/srv/attack', env_files: ['/srv/web-prod/.env'] } },
      ],
      ['history', 'GET', `${shop}/secrets/hidden-prod/versions`],
      ['history', 'POST', `${shop}/secrets/hidden-prod/rollback`, { version: 1 }],
      ['history', 'POST', `${shop}/rollback`, { revision: 1 }],
      ['history', 'GET', `${shop}/revisions/diff?from=0`],
      ['history', 'GET', `${shop}/revisions`],
      ['usage', 'GET', `${shop}/usage`],
      ['receipts', 'GET', `${shop}/revisions/1/receipt`],
      ['audit', 'GET', '/api/v1/audit'],
      ['backups', 'POST', '/api/v1/backup', {}],
      ['tokens', 'POST', '/api/v1/teams/default/tokens', { name: 'more', role: 'owner' }],
      ['members', 'PUT', '/api/v1/teams/default/members/ci', { role: 'owner' }],
      ['agents', 'POST', '/api/v1/agents/default%2Fbox/join-token', {}],
      ['agents', 'GET', `${kube}/agents`],
    ]
    for (const who of ['ci', 'lead'])
      for (const [way, method, path, body] of ways) {
        const { status, text } = await as(who, method, path, body)
        expect(status, `${who}, ${way}: ${text}`).toBeLessThan(500)
        // A refusal may repeat a name that the attacker wrote.
        const typed = JSON.stringify([path, body])
        const said = ['PROD_KEY', 'web-prod', 'hidden-prod']
          .filter((name) => typed.includes(name))
          .reduce((told, name) => told.replaceAll(name, ''), text)
        expect(said, `${who}, ${way}`).not.toMatch(hidden)
      }
    const seen = await as('lead', 'POST', `${shop}/reveal`, {})
    expect(seen.text).not.toContain('prod-value')
  })

  it('hears of nothing else in searches, events, streams and watches, from any version', async () => {
    const found = await as('shop', 'GET', '/api/v1/search?q=hidden')
    expect(found.text).not.toContain('bank')
    expect((await as('ci', 'GET', `${group}/namespaces/default/stagelysecrets`)).text).not.toMatch(
      hidden,
    )
    for (const path of ['/api/v1/namespaces/default/events', '/api/v1/attention']) {
      const { status, text } = await as('ci', 'GET', path)
      expect(status, path).toBe(200)
      expect(text, path).not.toMatch(hidden)
    }
    expect((await admin('GET', '/api/v1/attention')).text).toMatch(hidden)
    expect((await as('ci', 'GET', `${shop}/events`)).text).not.toMatch(hidden)
    for (const path of ['/api/v1/slo', '/api/v1/tokens', `${shop}/revisions/1/receipt`])
      expect([404, 403], path).toContain((await as('ci', 'GET', path)).status)
    const watch = (path: string): Promise<Answer> =>
      as('ci', 'GET', `${path}?watch=true&resourceVersion=${world.since}&timeoutSeconds=1`)
    const seen = await Promise.all([
      watch(`${group}/stagelysecrets`),
      watch(`${group}/namespaces/default/stagelets`),
      watch('/api/v1/events'),
    ])
    expect(seen.map(({ text }) => text).join('\n')).not.toMatch(hidden)
    expect(seen[0].text).toContain('in-pr')
    for (const path of ['/api/v1/stream', `${shop}/stream`]) {
      const authorization = `Bearer ${world.tokens.get('ci')}`
      const frames = await world.controller.open(path, {
        authorization,
        'last-event-id': world.since,
      })
      let told = ''
      for await (const chunk of frames) {
        told += String(chunk)
        if (told.includes('"name":"follower"')) break
      }
      expect(told).not.toMatch(hidden)
      expect(told).not.toMatch(/"name":"(box|shop)"/)
    }
    for (const kind of [
      'agents',
      'projects',
      'rotations',
      'secretstores',
      'notifiers',
      'trustedissuers',
    ])
      expect((await as('ci', 'GET', `${group}/namespaces/default/${kind}`)).status, kind).toBe(403)
  })

  it('sees a secret come into its place, and leave it', async () => {
    await secret('moving', { key: 'MOVING', value: 'moved-value', environments: ['production'] })
    const from = (await as('ci', 'GET', `${group}/stagelysecrets?limit=1`)).text
    const { metadata } = JSON.parse(from) as { metadata: { resourceVersion: string } }
    const move = (environment: string): Promise<Answer> =>
      admin('PATCH', `${group}/namespaces/default/stagelysecrets/moving`, {
        spec: { environments: [environment] },
      })
    await move('preview')
    await move('production')
    const path = `${group}/stagelysecrets?watch=true&resourceVersion=${metadata.resourceVersion}&timeoutSeconds=1`
    const lines = (await as('ci', 'GET', path)).text.split('\n').filter((line) => line !== '')
    const told = lines.map((line) => JSON.parse(line) as { type: string; object: { spec: object } })
    expect(told.map(({ type }) => type).filter((type) => type !== 'MODIFIED')).toEqual([
      'ADDED',
      'DELETED',
    ])
    expect(JSON.stringify(told)).not.toContain('production')
  })

  it('gets no secret that waits for a stagelet by a stagelet of another project', async () => {
    const scratch = '/api/v1/projects/default%2Fscratch'
    const kube = `${group}/namespaces/default`
    await apply('projects', 'Project', 'scratch', { environments: [{ name: 'preview' }] })
    await secret('waits-in-shop', {
      key: 'W',
      value: 'prod-value',
      stageletRef: { name: 'roamer' },
    })
    const { text } = await admin('POST', '/api/v1/teams/default/tokens', {
      name: 'roaming',
      role: 'maintainer',
      environments: ['preview'],
    })
    world.tokens.set('roaming', (JSON.parse(text) as { token: string }).token)
    const make = (who: string, name: string): Promise<Answer> =>
      as(who, 'POST', `${kube}/stagelets`, {
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'Stagelet',
        metadata: { name },
        spec: {
          projectRef: { name: 'scratch' },
          agentRef: { name: 'box' },
          environment: 'preview',
          compose: { directory: `/srv/${name}` },
        },
      })
    const moveTo = async (who: string, name: string, project: string): Promise<number> =>
      (
        await as(who, 'PATCH', `${kube}/stagelets/${name}`, {
          spec: { projectRef: { name: project } },
        })
      ).status
    expect((await make('roaming', 'roamer')).status).toBe(201)
    expect(await moveTo('roaming', 'roamer', 'shop')).toBe(403)
    expect((await as('admin', 'GET', scratch)).status).toBe(200)
  })

  it('for one stagelet leaves the stagelet where it is', async () => {
    const kube = `${group}/namespaces/default/stagelets`
    const move = async (who: string, spec: object): Promise<number> =>
      (await as(who, 'PATCH', `${kube}/web-pr?dryRun=All`, { spec })).status
    const elsewhere = [
      { environment: 'production' },
      { environment: null },
      { projectRef: { name: 'bank' }, environment: null },
    ]
    for (const spec of elsewhere) expect(await move('one', spec), JSON.stringify(spec)).toBe(403)
    expect(await move('one', { compose: { directory: '/srv/web-pr-2' } })).toBe(200)
    await world.make('two', 'owner', { stagelets: ['web-pr', 'web-new'], projects: ['shop'] })
    expect(await move('two', { environment: 'production' })).toBe(403)
    const both = {
      stagelets: ['web-pr'],
      projects: ['shop'],
      environments: ['preview', 'isolated'],
    }
    await world.make('both', 'owner', both)
    expect(await move('both', { environment: 'isolated' })).toBe(200)
    expect(await move('both', { environment: 'production' })).toBe(403)
    const made = await as('two', 'POST', '/api/v1/stagelets', {
      team: 'default',
      name: 'web-new',
      project: 'shop',
      agent: 'box',
      environment: 'production',
      compose: { directory: '/srv/web-new' },
    })
    expect(made.status, made.text).toBe(403)
  })

  it('gets no ended value of another stagelet that had the name', async () => {
    const kube = `${group}/namespaces/default`
    await world.stagelet('reused', { environment: 'production' })
    const own = { key: 'REUSED', stageletRef: { name: 'reused' } }
    await secret('was-own', { ...own, value: 'prod-value-of-reused' })
    await secret('was-moved', { ...own, key: 'MOVED', value: 'prod-value-that-moved' })
    const moved = { stageletRef: { name: 'web-pr' }, value: 'pr-value-since' }
    await admin('PATCH', `${kube}/stagelysecrets/was-moved`, { spec: moved })
    await secret('of-pr', { ...own, key: 'OF_PR', stageletRef: { name: 'web-pr' }, value: 'pr-1' })
    await admin('PATCH', `${kube}/stagelysecrets/of-pr`, { spec: { value: 'pr-2' } })
    await admin('DELETE', `${kube}/stagelysecrets/was-own`)
    await admin('DELETE', `${kube}/stagelets/reused`)
    await passes(async () => (await as('admin', 'GET', `${kube}/stagelets/reused`)).status === 404)
    const made = await as('lead', 'POST', '/api/v1/stagelets', {
      team: 'default',
      name: 'reused',
      project: 'shop',
      agent: 'box',
      environment: 'preview',
      compose: { directory: '/srv/another' },
    })
    expect(made.status, made.text).toBe(201)
    expect((await as('lead', 'GET', `${shop}/deleted-secrets`)).text).not.toContain('was-own')
    const { text } = await admin('GET', `${shop}/deleted-secrets`)
    const deleted = (JSON.parse(text) as { secrets: { id: string; name: string }[] }).secrets
    const { id } = deleted.find(({ name }) => name === 'was-own')!
    for (const who of ['lead', 'ci'])
      for (const [method, path, body] of [
        ['POST', `${shop}/secrets/${id}/restore`, {}],
        ['POST', `${shop}/secrets/was-moved/reveal`, { version: 1 }],
        ['POST', `${shop}/secrets/was-moved/rollback`, { version: 1 }],
      ] as const) {
        const answer = await as(who, method, path, body)
        expect(answer.status, `${who} ${path}: ${answer.text}`).toBe(403)
        expect(answer.text).not.toContain('prod-value')
      }
    const versions = await as('lead', 'GET', `${shop}/secrets/was-moved/versions`)
    expect(JSON.parse(versions.text)).toMatchObject({ versions: [{ version: 2 }] })
    const old = await as('lead', 'POST', `${shop}/secrets/of-pr/reveal`, { version: 1 })
    expect([old.status, old.text.includes('pr-1')]).toEqual([200, true])
    expect(
      (await admin('POST', `${shop}/secrets/was-moved/reveal`, { version: 1 })).text,
    ).toContain('prod-value-that-moved')
  })

  it('reads nothing of elsewhere in refusals and dry runs', async () => {
    const { status, text } = await world.controller.call(
      'PATCH',
      `${group}/namespaces/default/stagelysecrets/shared`,
      {
        headers: {
          authorization: `Bearer ${world.tokens.get('ci')}`,
          'content-type': 'application/json-patch+json',
        },
        body: [{ op: 'copy', from: '/status/conditions/0/message', path: '/spec/type' }],
      },
    )
    expect(status, text).toBe(422)
    expect(text).not.toContain('Unsupported value')
    const tried = await as('ci', 'POST', `${shop}/secrets/batch`, {
      dry_run: true,
      operations: [
        { op: 'create', key: 'OWN', scope: 'global', environments: ['preview'], value: 'pr-value' },
      ],
    })
    expect(tried.status, tried.text).toBe(200)
    expect(tried.text).not.toMatch(hidden)
  })

  it('is told what it is narrowed to', async () => {
    const { text } = await as('ci', 'GET', '/api/v1/me')
    expect(JSON.parse(text)).toMatchObject({
      token: { projects: ['shop'], environments: ['preview'] },
    })
  })

  it('is told what follows a secret by what is in view, and that there is more', async () => {
    const text = (name: string, key: string, more: object): Promise<Answer> =>
      secret(name, { key, value: 'with ${SHARED}', references: true, ...more })
    await text('hidden-link', 'PROD_KEY_2', { environments: ['production'] })
    await text('link-pr', 'LINK', { environments: ['preview'] })
    await text('wide', 'WIDE_LINK', {})
    const links = async (who: string, name: string): Promise<unknown> => {
      const { status, text } = await as(who, 'GET', `${shop}/secrets/${name}/links`)
      expect(status, text).toBe(200)
      expect(text).not.toMatch(hidden)
      return JSON.parse(text)
    }
    for (const who of ['ci', 'lead'])
      expect(await links(who, 'shared')).toMatchObject({
        refers_to: [],
        followers: [{ name: 'link-pr', environments: ['preview'] }, { name: 'wide' }],
        followed_elsewhere: true,
      })
    expect(await links('ci', 'wide')).toMatchObject({ refers_to: [{ name: 'shared' }] })
    // In the one stagelet its own takes the place of the shared one.
    const own = { stageletRef: { name: 'web-pr' } }
    await secret('own-shared', { key: 'SHARED', value: 'own-value', ...own })
    expect(await links('one', 'own-shared')).toEqual({
      refers_to: [],
      followers: [],
      followed_elsewhere: true,
    })
    const only_in = [{ stagelet: 'web-pr' }]
    expect(await links('ci', 'own-shared')).toMatchObject({
      followers: [
        { name: 'link-pr', only_in },
        { name: 'wide', only_in },
      ],
      followed_elsewhere: false,
    })
    // Of the shared one it holds elsewhere, and of that only what is in view.
    expect(await links('ci', 'shared')).toMatchObject({
      followers: [
        { name: 'link-pr', only_in: [{ environment: 'preview' }] },
        { name: 'wide', only_in: [{ environment: 'preview' }] },
      ],
      followed_elsewhere: true,
    })
    for (const path of ['hidden-prod', 'nothing-xy'])
      expect((await as('ci', 'GET', `${shop}/secrets/${path}/links`)).status).toBe(404)
  })
})
