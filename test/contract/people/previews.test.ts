// Who makes previews and how: at once, within the quota, and with a token that may do nothing else.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import {
  group,
  hidden,
  shop,
  startNarrowedWorld,
  type NarrowedWorld,
} from '../../support/programs/narrowed-world.ts'

interface Shown {
  readonly name: string
  readonly preview: string
  readonly ends_at: string
  readonly directory: string
  readonly compose: { readonly values: Record<string, string>; readonly images?: object }
}

describe('previews of a project', () => {
  let world: NarrowedWorld
  const as: NarrowedWorld['as'] = (...asked) => world.as(...asked)
  const put = (who: string, name: string, body: object = {}) =>
    as(who, 'PUT', `${shop}/previews/${name}`, body)
  const made = async (who: string, name: string, body: object = {}): Promise<Shown> => {
    const { status, text } = await put(who, name, body)
    expect(status, text).toBe(200)
    return JSON.parse(text) as Shown
  }
  /** Names of what there is, by the admin. */
  const all = async (plural: string): Promise<string[]> => {
    const { text } = await world.admin('GET', `${group}/namespaces/default/${plural}`)
    const { items } = JSON.parse(text) as { items: { metadata: { name: string } }[] }
    return items.map(({ metadata }) => metadata.name)
  }
  const template = (tweak: object = {}): object => ({
    environment: 'preview',
    from: 'files',
    variables: { WEB_PORT: '{port 20000-20003}', DATA_DIR: '/srv/data/{name}' },
    generate: ['DB_PASSWORD'],
    images: { web: 'ghcr.io/acme/web' },
    max: 4,
    ...tweak,
  })
  const setTemplate = (preview: object | null): Promise<{ status: number; text: string }> =>
    as('admin', 'PATCH', shop, { preview })

  beforeAll(async () => {
    world = await startNarrowedWorld()
    const compose = { directory: '/srv/files', variables: ['SHARED'] }
    await world.stagelet('files', { environment: 'production', compose })
    await world.make('developer', 'developer', {})
    await world.make('operator', 'operator', {})
    expect((await put('ci', 'pr-1')).text).toMatch(/has no template for previews/)
    const { status, text } = await setTemplate(template())
    expect(status, text).toBe(200)
  })
  afterAll(() => world.controller.remove())

  it('are made by who deploys in their environment, and by nobody else', async () => {
    for (const who of ['operator', 'isolated', 'one'])
      expect((await put(who, 'pr-1')).status, who).toBe(403)
    expect(await all('stagelets')).not.toContain('shop-pr-1')
    expect(await made('developer', 'pr-1')).toMatchObject({ name: 'shop-pr-1', preview: 'pr-1' })
    const mine = await put('ci', 'pr-2', { set: { FEATURE_X: 'on' }, ttl: '48h' })
    expect(mine.status, mine.text).toBe(200)
    expect(mine.text).not.toMatch(hidden)
    expect(JSON.parse(mine.text)).toMatchObject({ directory: '/srv/files', ttl: '48h' })
    expect(await all('stagelysecrets')).toEqual(
      expect.arrayContaining(['db-password.global.shop-pr-2', 'feature-x.global.shop-pr-2']),
    )
    const { text } = await as('ci', 'GET', `${shop}/secrets/feature-x.global.shop-pr-2`)
    expect(JSON.parse(text)).toMatchObject({ value: 'on', visibility: 'Plain' })
  })

  it('are changed by the same call, which puts the end off and keeps the rest', async () => {
    const before = await made('ci', 'pr-2')
    const images = { web: 'ghcr.io/acme/web@sha256:00' }
    const after = await made('ci', 'pr-2', { images, set: { FEATURE_X: 'off' } })
    expect(after.compose).toEqual({ ...before.compose, images })
    expect(after.ends_at >= before.ends_at).toBe(true)
    const { text } = await as('ci', 'GET', `${shop}/secrets/feature-x.global.shop-pr-2`)
    expect(JSON.parse(text)).toMatchObject({ value: 'off', version: 2 })
    const extended = await as('ci', 'POST', '/api/v1/stagelets/default%2Fshop-pr-2/extend', {
      for: '72h',
    })
    expect(extended.status, extended.text).toBe(202)
  })

  it('made at once get different ports, and no more places than there are', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'e']
    const answers = await Promise.all(names.map((name) => put('ci', name)))
    const codes = answers.map(({ status }) => status)
    expect(codes.filter((status) => status === 409).length).toBeGreaterThanOrEqual(3)
    const previews = (await all('stagelets')).filter((name) => /^shop-(pr-.|.)$/.test(name))
    expect(previews).toHaveLength(4)
    const ports = await Promise.all(
      previews.map(async (name) => {
        const { text } = await as('ci', 'GET', `/api/v1/stagelets/default%2F${name}`)
        return (JSON.parse(text) as Shown).compose.values['WEB_PORT']
      }),
    )
    expect(ports.toSorted()).toEqual(['20000', '20001', '20002', '20003'])
  })

  it('lead an attacker with such a token to no other folder, machine, image, value or name', async () => {
    const forbidden = [
      { set: { DATA_DIR: '/' } },
      { set: { WEB_PORT: '22' } },
      { set: { DB_PASSWORD: 'x' } },
      { set: { COMPOSE_FILE: '/etc/passwd' } },
      { images: { web: 'evil.example/web' } },
      { images: { db: 'ghcr.io/acme/web' } },
      { images: { web: '${SHARED}' } },
      { ttl: '1m' },
      { compose: { directory: '/' } },
      { agent: 'other' },
    ]
    for (const body of forbidden) {
      const { status, text } = await put('ci', 'pr-2', body)
      expect([400, 422], `${JSON.stringify(body)}: ${text}`).toContain(status)
    }
    for (const name of ['..', '%2e%2e%2fweb-prod', 'PR', 'x'.repeat(90)])
      expect([404, 422], name).toContain((await put('ci', name)).status)
    expect(
      (await as('ci', 'PATCH', shop, { preview: template({ from: 'web-prod' }) })).status,
    ).toBe(403)
    const moved = await as('ci', 'PATCH', '/api/v1/stagelets/default%2Fshop-pr-2', {
      compose: { directory: '/' },
    })
    expect(moved.status).toBe(403)
    // Names of stagelets that are no previews.
    await world.stagelet('shop-hidden', { environment: 'production' })
    const taken = await put('ci', 'hidden')
    expect([taken.status, taken.text]).toEqual([409, expect.stringContaining('something else')])
    expect((await as('ci', 'DELETE', `${shop}/previews/hidden`)).status).toBe(404)
    expect((await as('ci', 'DELETE', `${shop}/previews/nothing`)).status).toBe(404)
    expect(await all('stagelets')).toContain('shop-hidden')
    expect((await as('ci', 'PUT', '/api/v1/projects/default%2Fbank/previews/x', {})).status).toBe(
      404,
    )
  })

  it('take no machine and no image over from a stagelet that somebody has made by hand', async () => {
    await world.apply('agents', 'Agent', 'prod-box', {})
    const byHand = async (name: string, agent: string): Promise<void> => {
      const { status, text } = await as('ci', 'POST', `${group}/namespaces/default/stagelets`, {
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'Stagelet',
        metadata: { name: `shop-${name}`, labels: { 'stagely.dev/preview': name } },
        spec: {
          projectRef: { name: 'shop' },
          agentRef: { name: agent },
          environment: 'preview',
          compose: { directory: `/srv/${name}`, images: { web: 'evil.example/web' } },
        },
      })
      expect(status, text).toBe(201)
    }
    await setTemplate(template({ max: 10, variables: {} }))
    await byHand('by-hand-1', 'prod-box')
    await byHand('by-hand-2', 'box')
    // The folder of the template is the one of another stack there.
    const there = await put('ci', 'by-hand-1')
    expect([there.status, there.text]).toEqual([409, expect.stringContaining('take it down first')])
    expect((await made('ci', 'by-hand-2')).compose).not.toHaveProperty('images')
    for (const name of ['by-hand-1', 'by-hand-2'])
      await as('ci', 'DELETE', `${shop}/previews/${name}`)
    await setTemplate(template())
  })

  it('lie in no folder of a stack elsewhere, whatever their name', async () => {
    const open = { agent: 'box', directory: '/srv/{name}', variables: {}, max: 9 }
    const set = await setTemplate(template({ ...open, from: undefined }))
    expect(set.status, set.text).toBe(200)
    await world.make('of-shop', 'owner', { projects: ['shop'] })
    for (const [who, name] of [
      ['ci', 'web-prod'],
      ['of-shop', 'hidden-bank'],
      ['developer', 'web-prod'],
    ] as const) {
      const { status, text } = await put(who, name)
      expect([status, text], who).toEqual([409, expect.stringContaining('something else')])
      expect(text.replaceAll(name, '')).not.toMatch(hidden)
    }
    // By the name of the project, whoever may write the template.
    await world.stagelet('other', {
      projectRef: { name: 'bank' },
      compose: { directory: '/x/shop' },
    })
    const preview = template({ ...open, from: undefined, directory: '/x/{project}/{name}' })
    expect((await as('of-shop', 'PATCH', shop, { preview })).status).toBe(403)
    await setTemplate(template())
  })

  it('answer alike for each name that something hidden has', async () => {
    await world.stagelet('shop-held-1', { environment: 'production' })
    await world.stagelet('shop-held-2', { projectRef: { name: 'bank' } })
    await world.secret('held-3', {
      key: 'HELD',
      value: 'prod-value',
      stageletRef: { name: 'shop-held-3' },
    })
    // A preview of this name in another environment, as an earlier template made it.
    await world.stagelet('shop-held-4', { environment: 'production' })
    await world.admin('PATCH', `${group}/namespaces/default/stagelets/shop-held-4`, {
      metadata: { labels: { 'stagely.dev/preview': 'held-4' } },
    })
    const answers = await Promise.all(
      [1, 2, 3, 4].map(async (number) => {
        const { status, text } = await put('ci', `held-${number}`)
        const message = text.replace(/"request_?id":"[^"]*"/i, '')
        return `${status} ${message.replaceAll(`held-${number}`, 'NAME')}`
      }),
    )
    expect([...new Set(answers)]).toEqual([expect.stringMatching(/^409 .*something else/)])
    for (const number of [1, 2, 4])
      await world.admin('DELETE', `${group}/namespaces/default/stagelets/shop-held-${number}`)
    await world.admin('DELETE', `${group}/namespaces/default/stagelysecrets/held-3`)
  })

  it('are in no protected environment, whatever the template says', async () => {
    const production = [
      { name: 'production', protected: true },
      { name: 'preview' },
      { name: 'isolated' },
    ]
    const body = { environments: production, preview: template({ environment: 'production' }) }
    const { status, text } = await as('admin', 'PATCH', shop, body)
    expect([status, text]).toEqual([422, expect.stringContaining('it is protected')])
  })

  it('run no files of a protected environment unless who may change that has said so', async () => {
    await world.apply('projects', 'Project', 'safe', {
      environments: [{ name: 'live', protected: true }, { name: 'preview' }],
    })
    const at = '/api/v1/projects/default%2Fsafe'
    await world.stagelet('safe-live', { projectRef: { name: 'safe' }, environment: 'live' })
    await world.make('keeper', 'maintainer', {})
    const write = async (who: string, preview: object): Promise<number> =>
      (await as(who, 'PATCH', at, { preview: { environment: 'preview', ...preview } })).status
    const up = async (who: string, name: string): Promise<number> =>
      (await as(who, 'PUT', `${at}/previews/${name}`, {})).status
    const copied = { from: 'safe-live', directory: '/srv/previews/{name}' }
    for (const preview of [
      copied,
      { ...copied, from_protected: true },
      { from: 'safe-live', from_protected: true },
      { from: 'not-there-yet', from_protected: true },
      { from: 'safe-live' },
      { directory: '/srv/safe-live/{name}', agent: 'box' },
    ])
      expect(await write('keeper', preview), JSON.stringify(preview)).toBe(403)
    expect(await write('admin', copied)).toBe(200)
    expect([await up('keeper', 'a'), await up('developer', 'b')]).toEqual([403, 403])
    expect(await write('admin', { ...copied, from_protected: true })).toBe(200)
    expect([await up('keeper', 'a'), await up('developer', 'b')]).toEqual([200, 200])
    expect(await write('keeper', { ...copied, from_protected: true, ttl: '1h' })).toBe(403)
    expect(await write('keeper', { ...copied, from_protected: null })).toBe(403)
    expect((await as('keeper', 'PATCH', at, { description: 'ours' })).status).toBe(200)
    for (const compose of [
      { directory: '/srv/c', copy_of: '/srv/safe-live' },
      { directory: '/srv/safe-live' },
      { directory: '/srv/c', env_files: ['/srv/safe-live/.env'] },
    ]) {
      const body = { name: 'c', project: 'safe', agent: 'box', environment: 'preview', compose }
      const { status, text } = await as('keeper', 'POST', '/api/v1/stagelets', body)
      expect(status, text).toBe(403)
    }
    // What runs with the files of the folder is the template's to say, too.
    const preview = '/api/v1/stagelets/default%2Fsafe-a'
    for (const compose of [
      { images: { web: 'evil:1' } },
      { values: { PORT: '1' } },
      { files: ['b.yaml'] },
    ])
      expect((await as('keeper', 'PATCH', preview, { compose })).status).toBe(403)
    expect((await as('keeper', 'POST', `${preview}/extend`, { for: '2d' })).status).toBe(202)
    expect((await as('keeper', 'PATCH', preview, { paused: true })).status).toBe(200)
    expect(
      (await as('admin', 'PATCH', preview, { compose: { images: { web: 'ours:1' } } })).status,
    ).toBe(200)
  })

  it('go with their own secrets, and leave those of others', async () => {
    const before = (await all('stagelysecrets')).filter((name) => !name.includes('shop-pr-2'))
    const { status, text } = await as('ci', 'DELETE', `${shop}/previews/pr-2`)
    expect(status, text).toBe(200)
    expect(JSON.parse(text)).toMatchObject({ deleting_since: expect.any(String) as string })
    // Its agent has never joined, so that nobody is to let go of it.
    await eventually(() => all('stagelets')).not.toContain('shop-pr-2')
    expect(await all('stagelysecrets')).toEqual(before)
  })
})
