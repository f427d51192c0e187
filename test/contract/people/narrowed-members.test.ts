// What a member gets to know and to do whose role is narrowed to one project, or to the previews of it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  group,
  hidden,
  shop,
  startNarrowedWorld,
  type NarrowedWorld,
} from '../../support/programs/narrowed-world.ts'

const members = '/api/v1/teams/default/members'
const kube = `${group}/namespaces/default`

describe('a narrowed member', () => {
  let world: NarrowedWorld
  beforeAll(async () => {
    world = await startNarrowedWorld()
    await world.member('dev', { role: 'developer', projects: ['shop'] })
    await world.member('pr-lead', {
      role: 'maintainer',
      projects: ['shop'],
      environments: ['preview'],
    })
    await world.member('boss', { role: 'owner' })
  })
  afterAll(() => world.controller.remove())
  const as: NarrowedWorld['as'] = (...asked) => world.as(...asked)
  const status = async (...asked: Parameters<NarrowedWorld['as']>): Promise<number> =>
    (await world.as(...asked)).status
  const json = async (...asked: Parameters<NarrowedWorld['as']>): Promise<unknown> => {
    const answer = await world.as(...asked)
    expect(answer.status, answer.text).toBe(200)
    return JSON.parse(answer.text) as unknown
  }
  const names = async (who: string, path: string): Promise<string[]> => {
    const found = (await json(who, 'GET', path)) as Record<
      string,
      { name?: string; metadata?: { name: string } }[]
    >
    const items = found['items'] ?? Object.values(found)[0] ?? []
    return items.map(({ name, metadata }) => name ?? metadata?.name ?? '')
  }

  it('of one project sees no other project, in lists, searches, streams, counts and errors', async () => {
    expect(await names('dev', '/api/v1/projects')).toEqual(['shop'])
    expect(await names('dev', `${group}/projects`)).toEqual(['shop'])
    expect(await names('dev', '/api/v1/stagelets')).toEqual(['web-pr', 'web-prod'])
    const paths = [
      '/api/v1/search?q=bank',
      '/api/v1/activity',
      '/api/v1/rollouts',
      `${kube}/stagelysecrets`,
      '/api/v1/namespaces/default/events',
      `${kube}/stagelets?watch=true&resourceVersion=${world.since}&timeoutSeconds=1`,
      `${group}/stagelysecrets?watch=true&resourceVersion=${world.since}&timeoutSeconds=1`,
    ]
    for (const path of paths) {
      const answer = await as('dev', 'GET', path)
      expect([200, 403], `${path}: ${answer.text}`).toContain(answer.status)
      expect(answer.text, path).not.toContain('bank')
    }
    for (const path of [
      '/api/v1/projects/default%2Fbank',
      '/api/v1/stagelets/default%2Fhidden-bank',
      `${kube}/projects/bank`,
    ])
      expect(await status('dev', 'GET', path), path).toBe(404)
    const authorization = `Bearer ${world.tokens.get('dev') ?? ''}`
    const stream = await world.controller.open('/api/v1/stream', {
      authorization,
      'last-event-id': world.since,
    })
    let told = ''
    for await (const chunk of stream) {
      told += String(chunk)
      if (told.includes('"name":"in-pr"')) break
    }
    expect(told).not.toContain('bank')
  })

  it('works in the project as the role says', async () => {
    const made = await as('dev', 'POST', `${shop}/secrets`, { key: 'OF_DEV', value: 'of-dev-1' })
    expect(made.status, made.text).toBe(201)
    const bank = await as('dev', 'POST', '/api/v1/projects/default%2Fbank/secrets', {
      key: 'K2',
      value: 'of-dev-1',
    })
    expect(bank.status).toBe(404)
    expect(await status('dev', 'POST', '/api/v1/stagelets/default%2Fweb-pr/deploy')).toBe(202)
    expect(await status('dev', 'POST', '/api/v1/stagelets/default%2Fhidden-bank/deploy')).toBe(404)
    for (const path of ['agents', 'notifiers', 'secretstores'])
      expect(await status('dev', 'GET', `${kube}/${path}`), path).toBe(403)
    expect(await status('dev', 'GET', members)).toBe(403)
  })

  it('of previews sees and writes what a token for previews does', async () => {
    expect(await names('pr-lead', `${kube}/stagelysecrets`)).toEqual(
      await names('lead', `${kube}/stagelysecrets`),
    )
    expect((await as('pr-lead', 'GET', `${kube}/stagelysecrets`)).text).not.toMatch(hidden)
    const value = { value: 'of-lead-1' }
    expect(await status('pr-lead', 'PATCH', `${shop}/secrets/in-pr`, value)).toBe(200)
    expect(await status('pr-lead', 'PATCH', `${shop}/secrets/shared`, value)).toBe(403)
    expect(await status('pr-lead', 'PATCH', `${shop}/secrets/hidden-prod`, value)).toBe(404)
  })

  it('makes no token that may more, and a token for elsewhere sees nothing', async () => {
    const token = async (name: string, scope: object): Promise<void> => {
      const answer = await as('pr-lead', 'POST', '/api/v1/tokens', { name, ...scope })
      expect(answer.status, answer.text).toBe(201)
      world.tokens.set(name, (JSON.parse(answer.text) as { token: string }).token)
    }
    await token('plain', {})
    await token('for-shop', { projects: ['shop'] })
    await token('for-production', { environments: ['production'] })
    const secrets = `${kube}/stagelysecrets`
    const own = await names('pr-lead', secrets)
    expect(await names('plain', secrets)).toEqual(own)
    expect(await names('for-shop', secrets)).toEqual(own)
    expect(await names('for-production', secrets)).toEqual([])
    expect(
      await status('pr-lead', 'POST', '/api/v1/teams/default/tokens', {
        name: 'machine',
        role: 'viewer',
      }),
    ).toBe(403)
  })

  it('is narrowed in one team, and not in another', async () => {
    await world.admin('POST', '/api/v1/teams', { name: 'other' })
    await world.admin('PUT', '/api/v1/teams/other/members/dev', { role: 'viewer' })
    const body = (kind: string, name: string) => ({
      apiVersion: 'stagely.dev/v1alpha1',
      kind,
      metadata: { name },
      spec: {},
    })
    const other = `${group}/namespaces/other`
    await world.admin('POST', `${other}/projects`, body('Project', 'bank'))
    await world.admin('POST', `${other}/agents`, body('Agent', 'there'))
    const projects = (await json('dev', 'GET', '/api/v1/projects')) as {
      projects: { team: string; name: string }[]
    }
    expect(projects.projects.map(({ team, name }) => `${team}/${name}`)).toEqual([
      'default/shop',
      'other/bank',
    ])
    expect(await names('dev', '/api/v1/agents')).toEqual(['there'])
    expect(await status('dev', 'GET', '/api/v1/slo')).toBe(200)
    await world.admin('DELETE', '/api/v1/teams/other/members/dev')
    expect(await status('dev', 'GET', '/api/v1/slo')).toBe(403)
  })

  it('is shown to owners, keeps its place when the role changes, and each change is audited', async () => {
    const put = (body: object) => json('boss', 'PUT', `${members}/dev`, body)
    expect(await put({ role: 'viewer' })).toMatchObject({ role: 'viewer', projects: ['shop'] })
    expect(await put({ role: 'developer', environments: ['preview'] })).toMatchObject({
      projects: ['shop'],
      environments: ['preview'],
    })
    expect(await put({ role: 'developer', environments: null })).toEqual(
      expect.not.objectContaining({ environments: expect.anything() as unknown }),
    )
    const listed = (await json('boss', 'GET', members)) as { members: object[] }
    expect(listed.members).toContainEqual(
      expect.objectContaining({ user: 'dev', role: 'developer', projects: ['shop'] }),
    )
    expect(await status('boss', 'PUT', `${members}/dev`, { role: 'viewer', projects: [] })).toBe(
      422,
    )
    const { rows } = (await json('admin', 'GET', '/api/v1/audit?kind=Member&name=dev')) as {
      rows: { action: string; detail: object }[]
    }
    expect(rows[0]).toMatchObject({
      action: 'change role',
      detail: {
        narrowing: { projects: ['shop'] },
        previousNarrowing: { projects: ['shop'], environments: ['preview'] },
      },
    })
    expect(await json('dev', 'GET', '/api/v1/me')).toMatchObject({
      teams: [{ team: 'default', role: 'developer', projects: ['shop'] }],
    })
  })

  it('hears of the change of the place at once: its streams end', async () => {
    const authorization = `Bearer ${world.tokens.get('dev') ?? ''}`
    const stream = await world.controller.open('/api/v1/stream', { authorization })
    await world.admin('PUT', `${members}/dev`, { role: 'developer', projects: ['bank'] })
    let told = ''
    for await (const chunk of stream) told += String(chunk)
    expect(told).toContain('{"reason":"rights"}')
    expect(await names('dev', '/api/v1/projects')).toEqual(['bank'])
    await world.admin('PUT', `${members}/dev`, { role: 'developer', projects: ['shop'] })
  })

  it('leaves a team no last owner behind who is narrowed', async () => {
    const answer = await as('boss', 'PUT', `${members}/boss`, {
      role: 'owner',
      projects: ['shop'],
    })
    expect([answer.status, answer.text]).toEqual([409, expect.stringContaining('last owner')])
  })

  it('has the right for a protected environment that its membership names, and by no scope of a token', async () => {
    await world.apply('projects', 'Project', 'safe', {
      environments: [{ name: 'live', protected: true }, { name: 'preview' }],
    })
    await world.secret('live-key', {
      projectRef: { name: 'safe' },
      key: 'LIVE',
      value: 'live-value',
      environments: ['live'],
    })
    const write = (who: string): Promise<number> =>
      status(who, 'PATCH', '/api/v1/projects/default%2Fsafe/secrets/live-key', { value: 'new-1' })
    await world.member('live-dev', { role: 'developer', environments: ['live'] })
    await world.member('safe-dev', { role: 'developer', projects: ['safe'] })
    expect(await write('live-dev')).toBe(200)
    expect(await write('safe-dev')).toBe(403)
    const made = await as('safe-dev', 'POST', '/api/v1/tokens', {
      name: 'sly',
      environments: ['live'],
    })
    world.tokens.set('sly', (JSON.parse(made.text) as { token: string }).token)
    expect(await write('sly')).toBe(403)
  })

  it('gives no right to a token that named an environment before it was protected', async () => {
    await world.member('chief', { role: 'maintainer' })
    await world.apply('projects', 'Project', 'late', { environments: [{ name: 'staging' }] })
    await world.secret('late-key', {
      projectRef: { name: 'late' },
      key: 'LATE',
      value: 'late-value',
      environments: ['staging'],
    })
    for (const [maker, name] of [
      ['chief', 'by-maintainer'],
      ['boss', 'by-owner'],
    ] as const) {
      const { text } = await as(maker, 'POST', '/api/v1/teams/default/tokens', {
        name,
        role: 'deployer',
        environments: ['staging'],
      })
      world.tokens.set(name, (JSON.parse(text) as { token: string }).token)
    }
    const write = (who: string): Promise<number> =>
      status(who, 'PATCH', '/api/v1/projects/default%2Flate/secrets/late-key', { value: 'new-2' })
    expect(await write('by-maintainer')).toBe(200)
    await world.admin('PATCH', '/api/v1/projects/default%2Flate', {
      environments: [{ name: 'staging', protected: true }],
    })
    expect([await write('by-maintainer'), await write('by-owner')]).toEqual([403, 200])
  })
})
