// What a protected environment refuses to whoever has no right for it, by the way of objects that the controller acts for.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  group,
  startNarrowedWorld,
  type NarrowedWorld,
} from '../../support/programs/narrowed-world.ts'

describe('a protected environment', () => {
  let world: NarrowedWorld
  beforeAll(async () => {
    world = await startNarrowedWorld()
    await world.apply('projects', 'Project', 'safe', {
      environments: [{ name: 'live', protected: true }, { name: 'preview' }],
    })
    await world.stagelet('live-web', { projectRef: { name: 'safe' }, environment: 'live' })
  })
  afterAll(() => world.controller.remove())

  const as: NarrowedWorld['as'] = (...asked) => world.as(...asked)
  const apply: NarrowedWorld['apply'] = (...asked) => world.apply(...asked)
  const secret: NarrowedWorld['secret'] = (...asked) => world.secret(...asked)
  const stagelet: NarrowedWorld['stagelet'] = (...asked) => world.stagelet(...asked)

  it('asks its right of everybody but owners', async () => {
    const inSafe = { projectRef: { name: 'safe' }, value: 'safe-value' }
    await secret('live-key', { ...inSafe, key: 'LIVE', environments: ['live'] })
    await secret('all-key', { ...inSafe, key: 'ALL' })
    await secret('pr-key', { ...inSafe, key: 'PR', environments: ['preview'] })
    await secret('live-db', {
      projectRef: inSafe.projectRef,
      key: 'DB',
      environments: ['live'],
      valueFrom: { external: { store: 'vault', key: 'prod/db' } },
    })
    await secret('for-later', { ...inSafe, key: 'OWN', stageletRef: { name: 'later-web' } })
    await secret('pr-source', { ...inSafe, key: 'SOURCE', environments: ['preview'] })
    await secret('live-follower', {
      projectRef: inSafe.projectRef,
      key: 'FOLLOWER',
      environments: ['live'],
      valueFrom: { secretRef: { name: 'pr-source' } },
    })
    const make = async (who: string, name: string, role: string, environment?: string) => {
      const environments = environment === undefined ? {} : { environments: [environment] }
      const body = { name, role, ...environments }
      const { status, text } = await as(who, 'POST', '/api/v1/teams/default/tokens', body)
      if (status === 201) world.tokens.set(name, (JSON.parse(text) as { token: string }).token)
      return status
    }
    for (const role of ['owner', 'maintainer', 'deployer']) await make('admin', `any-${role}`, role)
    await make('admin', 'live-deployer', 'deployer', 'live')
    expect(await make('any-maintainer', 'sly', 'maintainer', 'live')).toBe(403)
    expect(await make('any-maintainer', 'fair', 'maintainer', 'preview')).toBe(201)
    const value = { value: 'fine-value' }
    const safe = '/api/v1/projects/default%2Fsafe'
    const kube = `${group}/namespaces/default`
    const ways: readonly [string, string, object?][] = [
      ['PATCH', `${safe}/secrets/live-key`, { value: 'another-value' }],
      ['PATCH', `${safe}/secrets/pr-key`, { environments: ['live'] }],
      ['PATCH', `${safe}/secrets/live-key`, { environments: ['preview'] }],
      ['PATCH', `${safe}/secrets/all-key`, { value: 'another-value' }],
      ['DELETE', `${safe}/secrets/live-key`],
      ['POST', `${safe}/secrets/live-key/reveal`, {}],
      ['POST', `${safe}/reveal`, {}],
      ['POST', '/api/v1/stagelets/default%2Flive-web/deploy', {}],
      ['PATCH', `${kube}/stagelets/live-web`, { spec: { environment: 'preview' } }],
      ['DELETE', `${kube}/stagelets/live-web`],
      ['PATCH', '/api/v1/projects/default%2Fsafe', { environments: [{ name: 'live' }] }],
      ['DELETE', `${kube}/projects/safe`],
      // What brings something of the protected environment along.
      [
        'POST',
        `${safe}/secrets`,
        {
          key: 'LEAK',
          environments: ['preview'],
          value_from: { secretRef: { name: 'live-key' } },
        },
      ],
      [
        'POST',
        `${safe}/secrets`,
        {
          key: 'LEAK',
          environments: ['preview'],
          value_from: { external: { store: 'vault', key: 'prod/db', property: '/password' } },
        },
      ],
      ['PATCH', `${safe}/secrets/pr-source`, value],
      [
        'POST',
        '/api/v1/stagelets',
        {
          team: 'default',
          name: 'later-web',
          project: 'safe',
          agent: 'box',
          environment: 'preview',
          compose: { directory: '/srv/later' },
        },
      ],
      ['POST', '/api/v1/agents/default%2Fbox/join-token', {}],
      ['POST', '/api/v1/agents/default%2Fbox/revoke', {}],
    ]
    for (const [method, path, body] of ways)
      for (const who of ['any-maintainer', 'any-deployer']) {
        const { status, text } = await as(who, method, path, body)
        expect(status, `${who} ${method} ${path}: ${text}`).toBe(403)
      }
    const status = async (who: string, name: string): Promise<number> =>
      (await as(who, 'PATCH', `${safe}/secrets/${name}`, value)).status
    expect(await status('any-deployer', 'pr-key')).toBe(200)
    expect(await status('any-owner', 'live-key')).toBe(200)
    expect(await status('live-deployer', 'live-key')).toBe(200)
    expect(await status('live-deployer', 'all-key')).toBe(403)
    const deploy = '/api/v1/stagelets/default%2Flive-web/deploy'
    expect((await as('live-deployer', 'POST', deploy)).status).toBe(202)
  })

  it('gives no secret that waits for a stagelet to a stagelet of another project', async () => {
    const kube = `${group}/namespaces/default`
    await apply('projects', 'Project', 'scratch', { environments: [{ name: 'preview' }] })
    const make = (who: string, name: string): ReturnType<typeof as> =>
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
    // In safe a secret waits for the stagelet.
    const safe = '/api/v1/projects/default%2Fsafe'
    expect((await make('any-maintainer', 'later-web')).status).toBe(201)
    const ways: readonly [string, string, object?][] = [
      ['POST', `${safe}/secrets/for-later/reveal`, {}],
      ['PATCH', `${safe}/secrets/for-later`, { value: 'planted-value' }],
      ['DELETE', `${safe}/secrets/for-later`],
      ['POST', `${safe}/secrets`, { key: 'NEW', stagelet: 'later-web', value: 'planted-value' }],
      ['PATCH', `${kube}/stagelets/later-web`, { spec: { projectRef: { name: 'safe' } } }],
      ['POST', `${safe}/rollout/pause`, {}],
    ]
    for (const [method, path, body] of ways) {
      const answer = await as('any-maintainer', method, path, body)
      expect(answer.status, `${method} ${path}: ${answer.text}`).toBe(403)
    }
  })

  it('tells by no format what a value of it is, through a secret elsewhere that refers to it', async () => {
    const projectRef = { name: 'safe' }
    await secret('all-told', { projectRef, key: 'TOLD', value: 'abc-told-value' })
    await world.make('teller', 'maintainer', {})
    await world.make('safe-preview', 'owner', { projects: ['safe'], environments: ['preview'] })
    const path = '/api/v1/projects/default%2Fsafe/secrets'
    const put = (who: string, key: string, more: object): ReturnType<typeof as> =>
      as(who, 'POST', path, { key, environments: ['preview'], references: true, ...more })
    const link = await put('admin', 'TOLD_LINK', { value: '<${TOLD}>' })
    expect(link.status, link.text).toBe(201)
    for (const who of ['teller', 'safe-preview'])
      for (const value of ['${TOLD}', 'x${TOLD_LINK}'])
        for (const pattern of ['abc', 'zzz']) {
          const { status, text } = await put(who, 'ORACLE', { value, format: 'regex', pattern })
          expect([status, text], `${who} ${value}`).toEqual([
            403,
            expect.stringContaining('its format would be checked'),
          ])
        }
    expect((await put('teller', 'NO_ORACLE', { value: '${TOLD}' })).status).toBe(201)
    const rule = { value: '${TOLD}', format: 'regex', pattern: 'abc.*' }
    expect((await put('any-owner', 'FAIR', rule)).status).toBe(201)
  })

  it('gives its folder to no variable of a Compose file', async () => {
    await world.make('filler', 'maintainer', {})
    const safe = '/api/v1/projects/default%2Fsafe'
    const make = async (who: string, project: string, values: object): Promise<string> => {
      const { status, text } = await as(who, 'POST', '/api/v1/stagelets?dry_run=true', {
        team: 'default',
        name: 'fills',
        project,
        agent: 'box',
        environment: 'preview',
        compose: { directory: '/srv/fills', values },
      })
      return `${status} ${text}`
    }
    const led = [
      { DATA: '/srv/FOLDER/data' },
      { DATA: '../FOLDER/.env' },
      { VOLUME: '/srv/x/../FOLDER:/data:ro' },
      { ROOT: '/srv' },
    ]
    const fine = {
      WEB_PORT: '20000',
      IMAGE: 'ghcr.io/acme/web',
      URL: 'https://a.test/x',
      DIR: './x',
    }
    for (const [who, project, folder] of [
      ['filler', 'safe', 'live-web'],
      ['ci', 'shop', 'web-prod'],
      ['lead', 'shop', 'web-prod'],
    ] as const) {
      for (const values of led) {
        const chosen = JSON.parse(JSON.stringify(values).replace('FOLDER', folder)) as object
        expect(await make(who, project, chosen), `${who} ${JSON.stringify(chosen)}`).toMatch(/^403/)
      }
      expect(await make(who, project, fine)).toMatch(/^200/)
    }
    const template = { environment: 'preview', agent: 'box', directory: '/srv/p/{name}' }
    const set = (variables: object): ReturnType<typeof as> =>
      as('filler', 'PATCH', safe, { preview: { ...template, variables } })
    expect((await set({ DATA: '/srv/live-web/{name}' })).status).toBe(403)
    const { status, text } = await set(fine)
    expect(status, text).toBe(200)
  })

  it('asks its right of whoever lets the controller use something of it', async () => {
    const inSafe = { projectRef: { name: 'safe' } }
    await world.make('sly', 'maintainer', {})
    await secret('all-admin', {
      ...inSafe,
      key: 'A',
      value: 'safe-value',
      audience: 'Controller',
    })
    await secret('bank-admin', {
      projectRef: { name: 'bank' },
      key: 'A',
      value: 'bank-value',
      audience: 'Controller',
    })
    await stagelet('pr-web', { ...inSafe, environment: 'preview' })
    for (const output of ['username', 'password'])
      await secret(`pr-${output}`, {
        ...inSafe,
        key: output.toUpperCase(),
        environments: ['preview'],
        valueFrom: { rotation: { name: 'sly', output } },
      })
    const make = async (plural: string, kind: string, spec: object): Promise<number> => {
      const object = { apiVersion: 'stagely.dev/v1alpha1', kind, metadata: { name: 'sly' }, spec }
      return (await as('sly', 'POST', `${group}/namespaces/default/${plural}?dryRun=All`, object))
        .status
    }
    const rotation = (place: object): Promise<number> =>
      make('rotations', 'Rotation', {
        ...inSafe,
        outputs: { username: 'pr-username', password: 'pr-password' },
        rotator: { postgres: { ...place, database: 'd', owner: 'o', roles: ['a', 'b'] } },
      })
    const store = (name: string): Promise<number> =>
      make('secretstores', 'SecretStore', {
        vault: { address: 'https://evil.example' },
        auth: { secretRef: { name } },
      })
    const inside = (name: string): Promise<number> =>
      rotation({ in: { stagelet: name, service: 'db' } })
    expect([await inside('live-web'), await inside('not-there-yet')]).toEqual([403, 403])
    expect(await rotation({ at: { host: 'db', adminRef: { name: 'all-admin' } } })).toBe(403)
    expect(await inside('pr-web')).toBe(201)
    expect([await store('all-admin'), await store('not-there-yet')]).toEqual([403, 403])
    expect(await store('bank-admin')).toBe(201)
    const notifier = { reasons: ['Expired'], webhook: { url: 'https://evil.example/' } }
    const signed = (name: string): Promise<number> =>
      make('notifiers', 'Notifier', {
        ...notifier,
        webhook: { ...notifier.webhook, signingKeyRef: { name } },
      })
    expect([await signed('all-admin'), await signed('bank-admin')]).toEqual([403, 201])
    // One that is there already.
    const live = { key: 'LIVE_KEY', environments: ['live'] }
    await secret('live-out', {
      ...inSafe,
      ...live,
      valueFrom: { rotation: { name: 'live-turn', output: 'current' } },
    })
    await apply('rotations', 'Rotation', 'live-turn', {
      ...inSafe,
      outputs: { current: 'live-out' },
      rotator: { generate: {} },
    })
    const run = '/api/v1/projects/default%2Fsafe/rotations/live-turn/run'
    expect((await as('sly', 'POST', run, {})).status).toBe(403)
  })

  it('bounds whoever finds values of it by equal ones', async () => {
    await world.make('guesser', 'maintainer', {})
    const safe = '/api/v1/projects/default%2Fsafe'
    await secret('live-guessed', {
      projectRef: { name: 'safe' },
      key: 'GUESSED',
      value: 'live-value',
      environments: ['live'],
    })
    for (let i = 0; i < 21; i += 1) {
      const given = { key: 'GUESSED', value: `guess-${i}`, scope: `service-${i}` }
      const body = { ...given, environments: ['preview'] }
      expect((await as('guesser', 'POST', `${safe}/secrets`, body)).status).toBe(201)
    }
    const classes = await as('guesser', 'GET', `${safe}/value-classes`)
    expect([classes.status, classes.text]).toEqual([429, expect.stringContaining('of GUESSED')])
    expect((await as('admin', 'GET', `${safe}/value-classes`)).status).toBe(200)
  })
})
