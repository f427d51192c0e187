// What a member gets to know and to do whose role is narrowed to one project, or to the previews of it.
import { passes } from '../../support/eventually.ts'
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

  it('reads the activity of the project, or of the stagelets in view, and of nothing else', async () => {
    interface Row {
      readonly project?: string
      readonly stagelet?: string
      readonly keys?: string[]
    }
    const activity = async (who: string): Promise<Row[]> =>
      ((await json(who, 'GET', '/api/v1/activity')) as { activity: Row[] }).activity
    await passes(async () => {
      const whole = await activity('boss')
      expect(whole.map(({ project }) => project)).toEqual(expect.arrayContaining(['bank', 'shop']))
    })
    const own = await activity('dev')
    expect([...new Set(own.map(({ project }) => project))]).toEqual(['shop'])
    expect(own.some(({ keys = [] }) => keys.includes('PROD_KEY'))).toBe(true)
    for (const name of ['web-pr', 'web-prod'])
      await world.admin('PATCH', `/api/v1/stagelets/default%2F${name}`, { paused: true })
    await passes(async () => {
      expect((await activity('dev')).map(({ stagelet }) => stagelet)).toContain('web-prod')
    })
    const ofPreviews = await activity('pr-lead')
    expect(new Set(ofPreviews.map(({ stagelet }) => stagelet))).toEqual(new Set(['web-pr']))
    for (const path of ['/api/v1/activity', '/api/v1/rollouts', '/api/v1/activity?project=bank'])
      expect((await as('pr-lead', 'GET', path)).text).not.toMatch(hidden)
    for (const name of ['web-pr', 'web-prod'])
      await world.admin('PATCH', `/api/v1/stagelets/default%2F${name}`, { paused: false })
  })

  it('reads the history, the versions and the usage of what is in view', async () => {
    for (const path of ['revisions', 'deleted-secrets', 'usage', 'revisions/diff?from=0']) {
      const { status: got, text } = await as('pr-lead', 'GET', `${shop}/${path}`)
      expect(got, `${path}: ${text}`).toBe(200)
      expect(text, path).not.toMatch(hidden)
    }
    const { revisions } = (await json('pr-lead', 'GET', `${shop}/revisions`)) as {
      revisions: { revision: number; keys: string[] }[]
    }
    expect(new Set(revisions.flatMap(({ keys }) => keys))).toEqual(new Set(['IN_PR', 'SHARED']))
    const first = await json('pr-lead', 'GET', `${shop}/revisions/${revisions[0]?.revision}`)
    expect(JSON.stringify(first)).not.toMatch(hidden)
    expect(await status('pr-lead', 'GET', `${shop}/revisions/1/receipt`)).toBe(403)
    expect(await status('dev', 'GET', `${shop}/revisions/1/receipt`)).toBe(200)
  })

  it('has no old version of a secret that counted elsewhere then', async () => {
    const secrets = `${shop}/secrets`
    await world.secret('moved', {
      key: 'MOVED',
      value: 'prod-value-of-before',
      environments: ['production'],
    })
    await world.admin('PATCH', `${secrets}/moved`, {
      environments: ['preview'],
      value: 'pr-value-of-now',
    })
    const versions = (await json('pr-lead', 'GET', `${secrets}/moved/versions`)) as {
      versions: { version: number }[]
    }
    expect(versions.versions.map(({ version }) => version)).toEqual([2])
    const ways = [
      ['reveal', { version: 1 }],
      ['rollback', { version: 1 }],
      ['rollback', { version: 1, dry_run: true }],
    ] as const
    for (const [way, body] of ways) {
      const answer = await as('pr-lead', 'POST', `${secrets}/moved/${way}`, body)
      expect([answer.status, answer.text]).toEqual([403, expect.not.stringMatching(/prod-value/)])
    }
    const now = await as('pr-lead', 'POST', `${secrets}/moved/reveal`, {})
    expect([now.status, now.text]).toEqual([200, expect.stringContaining('pr-value-of-now')])
    expect(await status('boss', 'POST', `${secrets}/moved/reveal`, { version: 1 })).toBe(200)
    await world.admin('DELETE', `${secrets}/moved`)
    const { text } = await as('pr-lead', 'GET', `${shop}/deleted-secrets`)
    expect(text).toContain('"moved"')
  })

  it('is told no name of a secret elsewhere by a refusal', async () => {
    await world.secret('hidden-file', {
      key: 'HIDDEN_FILE',
      value: 'prod-value-file',
      type: 'file',
      file: { target: '/run/app/key' },
    })
    const met = await as('one', 'POST', `${kube}/stagelysecrets`, {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'StagelySecret',
      metadata: { name: 'own-file' },
      spec: {
        projectRef: { name: 'shop' },
        key: 'OWN_FILE',
        scope: 'global',
        type: 'file',
        value: 'own-value',
        stageletRef: { name: 'web-pr' },
        file: { target: '/run/app/key' },
      },
    })
    expect([met.status, met.text]).toEqual([422, expect.stringContaining('a secret elsewhere')])
    expect(met.text).not.toMatch(hidden)
    await world.secret('source', { key: 'SOURCE', value: 'pr-value-2', environments: ['preview'] })
    await world.secret('hidden-follower', {
      key: 'FOLLOWS',
      environments: ['production'],
      valueFrom: { secretRef: { name: 'source' } },
    })
    for (const [method, body] of [
      ['DELETE', undefined],
      ['PATCH', { audience: 'Controller' }],
      ['PATCH', { references: true }],
      ['PATCH', { value: 'pr-value-3' }],
    ] as const) {
      const answer = await as('pr-lead', method, `${shop}/secrets/source`, body)
      expect(answer.status, answer.text).toBeGreaterThanOrEqual(400)
      expect(answer.text).not.toMatch(hidden)
    }
    await world.admin('DELETE', `${shop}/secrets/hidden-follower`)
    await world.admin('DELETE', `${shop}/secrets/hidden-file`)
  })

  it('makes stacks in folders that its narrowing names, or that no stack elsewhere has', async () => {
    await world.make('at-previews', 'maintainer', {
      environments: ['preview'],
      folders: ['/srv/previews'],
    })
    let count = 0
    const make = (who: string, compose: object): Promise<{ status: number; text: string }> =>
      as(who, 'POST', '/api/v1/stagelets?dry_run=true', {
        name: `stack-${++count}`,
        project: 'shop',
        agent: 'box',
        environment: 'preview',
        compose,
      })
    const table = [
      ['at-previews', { directory: '/srv/previews/pr-1' }, 201],
      ['at-previews', { directory: '/srv/previews/pr-1', files: ['../base.yml'] }, 201],
      ['at-previews', { directory: '/srv/previews/../web-prod' }, 403],
      ['at-previews', { directory: '/srv/previews-of-others' }, 403],
      ['at-previews', { directory: '/srv/previews/pr-1', files: ['/srv/web-prod/a.yml'] }, 403],
      ['at-previews', { directory: '/srv/previews/pr-1', env_files: ['../../web-prod/.env'] }, 403],
      ['at-previews', { directory: '/srv/previews/pr-1', writable_folders: ['/etc'] }, 403],
      ['at-previews', { directory: '/srv/previews/pr-1', adopt: ['prod_data'] }, 403],
      ['at-previews', { directory: '/srv/previews/pr-1', copy_of: '/srv/web-prod' }, 403],
      ['at-previews', { directory: '/srv/previews/pr-1', copy_of: '/srv/previews/other' }, 403],
      ['at-previews', { directory: '/srv/previews/pr-1', mounts: ['/srv/web-prod'] }, 403],
      ['pr-lead', { directory: '/srv/pr-7' }, 201],
      ['pr-lead', { directory: '/srv/pr-7', copy_of: '/srv/web-prod' }, 403],
      ['pr-lead', { directory: '/srv/pr-7', copy_of: '/srv' }, 403],
      ['pr-lead', { directory: '/srv/pr-7', copy_of: '/srv/unknown' }, 403],
      ['pr-lead', { directory: '/srv/pr-7', copy_of: '/srv/web-pr' }, 201],
      ['pr-lead', { directory: '/srv/pr-7', mounts: ['/srv/web-prod/data'] }, 403],
      ['pr-lead', { directory: '/srv/pr-7', mounts: ['prod_data'] }, 403],
      ['pr-lead', { directory: '/srv/web-prod' }, 403],
      ['pr-lead', { directory: '/srv/web-prod/below' }, 403],
      ['pr-lead', { directory: '/srv' }, 403],
      ['pr-lead', { directory: '/srv/pr-7', files: ['../web-prod/compose.yml'] }, 403],
      ['pr-lead', { directory: '/srv/pr-7', env_files: ['/srv/web-prod/.env'] }, 403],
      ['pr-lead', { directory: '/srv/pr-7', adopt: ['prod_data'] }, 403],
      ['pr-lead', { directory: '/srv/pr-7', writable_folders: ['/srv/pr-7'] }, 403],
      ['boss', { directory: '/srv/web-prod/below' }, 201],
    ] as const
    for (const [who, compose, expected] of table) {
      const { status: got, text } = await make(who, compose)
      const wanted = expected === 201 ? [200, 201] : [expected]
      expect(wanted, `${who} ${JSON.stringify(compose)}: ${text}`).toContain(got)
      if (who !== 'boss') expect(text).not.toMatch(/bank|PROD_KEY/)
    }
    await world.make('at-srv', 'maintainer', { environments: ['preview'], folders: ['/srv'] })
    const claimed = await make('at-srv', { directory: '/srv/web-prod' })
    expect([claimed.status, claimed.text]).toEqual([
      422,
      expect.stringContaining('a stagelet elsewhere has this Compose project'),
    ])
    const move = (compose: object): Promise<number> =>
      status('pr-lead', 'PATCH', `${kube}/stagelets/web-pr`, { spec: { compose } })
    expect(await move({ directory: '/srv/web-prod' })).toBe(403)
    expect(await move({ copyOf: '/srv/web-prod' })).toBe(403)
    expect(await move({ profiles: ['debug'] })).toBe(200)
    expect(
      await status('boss', 'POST', '/api/v1/teams/default/tokens', {
        name: 'folder-alone',
        role: 'viewer',
        folders: ['/srv'],
      }),
    ).toBe(422)
  })

  it('reads no lines of a log in what is told of a failure, without the right to logs', async () => {
    const message = 'service web exited with code 1\nlast log lines:\nPROD password is hunter2'
    await world.admin('PATCH', `${kube}/stagelets/web-pr/status`, {
      status: { lastRollout: { revision: 1, result: 'Failed', service: 'web', message } },
    })
    await world.make('any-operator', 'operator', {})
    await world.make('any-deployer', 'deployer', {})
    const ways = [
      ['GET', `${kube}/stagelets/web-pr`],
      ['GET', `${kube}/stagelets`],
      ['GET', '/api/v1/stagelets/default%2Fweb-pr'],
      ['GET', '/api/v1/stagelets'],
      ['GET', `${kube}/stagelets?watch=true&resourceVersion=${world.since}&timeoutSeconds=1`],
      ['POST', '/api/v1/stagelets/default%2Fweb-pr/deploy'],
      ['GET', '/api/v1/namespaces/default/events'],
      ['GET', '/api/v1/rollouts'],
    ] as const
    for (const who of ['any-deployer', 'ci'])
      for (const [method, path] of ways) {
        const answer = await as(who, method, path)
        expect(answer.status, answer.text).toBeLessThan(300)
        expect(answer.text, `${who} ${path}`).not.toContain('hunter2')
      }
    expect((await as('any-deployer', ...ways[0])).text).toContain('exited with code 1')
    for (const who of ['any-operator', 'boss'])
      expect((await as(who, ...ways[0])).text, who).toContain('hunter2')
  })

  it('is told by reviews of its rights what it may, where', async () => {
    const review = async (who: string, resourceAttributes: object): Promise<boolean> => {
      const answer = await as(
        who,
        'POST',
        '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: {
            resourceAttributes: {
              namespace: 'default',
              group: 'stagely.dev',
              ...resourceAttributes,
            },
          },
        },
      )
      expect(answer.status, answer.text).toBe(201)
      return (JSON.parse(answer.text) as { status: { allowed: boolean } }).status.allowed
    }
    const secrets = { resource: 'stagelysecrets' }
    const table = [
      ['pr-lead', { ...secrets, verb: 'list' }, true],
      ['pr-lead', { ...secrets, verb: 'get', name: 'in-pr' }, true],
      ['pr-lead', { ...secrets, verb: 'get', name: 'shared' }, true],
      ['pr-lead', { ...secrets, verb: 'update', name: 'in-pr' }, true],
      ['pr-lead', { ...secrets, verb: 'update', name: 'shared' }, false],
      ['pr-lead', { ...secrets, verb: 'get', name: 'hidden-prod' }, false],
      ['pr-lead', { resource: 'agents', verb: 'list' }, false],
      ['dev', { ...secrets, verb: 'update', name: 'shared' }, true],
      ['dev', { ...secrets, verb: 'get', name: 'hidden-bank' }, false],
      ['boss', { ...secrets, verb: 'update', name: 'hidden-bank' }, true],
    ] as const
    for (const [who, asked, allowed] of table)
      expect(await review(who, asked), `${who} ${JSON.stringify(asked)}`).toBe(allowed)
    const rules = await as('dev', 'POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: { namespace: 'default' },
    })
    expect(JSON.parse(rules.text)).toMatchObject({
      status: { incomplete: true, evaluationError: 'these rights count only in project shop' },
    })
    expect(rules.text).not.toContain('"agents"')
  })

  it('asks in a review what a change of its place would do, and learns of nothing else', async () => {
    const review = (who: string, spec: object) =>
      as(who, 'POST', `${kube}/changesetreviews`, {
        kind: 'ChangeSetReview',
        spec: {
          objects: [
            {
              apiVersion: 'stagely.dev/v1alpha1',
              kind: 'StagelySecret',
              metadata: { name: 'tried' },
              spec: {
                projectRef: { name: 'shop' },
                scope: 'global',
                value: 'tried-value',
                ...spec,
              },
            },
          ],
        },
      })
    const own = await review('pr-lead', { key: 'PROD_KEY', environments: ['preview'] })
    expect(own.status, own.text).toBe(201)
    expect(own.text.replaceAll('PROD_KEY', '')).not.toMatch(hidden)
    expect(JSON.parse(own.text)).toMatchObject({ status: { faults: [] } })
    const wide = await review('pr-lead', { key: 'TRIED' })
    expect(JSON.parse(wide.text)).toMatchObject({ status: { faults: [{ index: 0 }] } })
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

  it('is what an old version asks for that was in a protected environment', async () => {
    await world.member('keeper', { role: 'maintainer', projects: ['safe'] })
    const old = '/api/v1/projects/default%2Fsafe/secrets/was-live'
    await world.secret('was-live', {
      projectRef: { name: 'safe' },
      key: 'WAS_LIVE',
      value: 'live-value-of-before',
      environments: ['live'],
    })
    await world.admin('PATCH', old, { environments: ['preview'], value: 'pr-value-of-now' })
    expect(await status('keeper', 'POST', `${old}/reveal`, {})).toBe(200)
    expect(await status('keeper', 'POST', `${old}/reveal`, { version: 1 })).toBe(403)
    expect(await status('keeper', 'POST', `${old}/rollback`, { version: 1 })).toBe(403)
    expect(await status('boss', 'POST', `${old}/reveal`, { version: 1 })).toBe(200)
  })

  it('expects the set of the secrets with the places of the stagelets', async () => {
    const safe = '/api/v1/projects/default%2Fsafe'
    const tried = (await json('boss', 'POST', `${safe}/secrets/batch`, {
      dry_run: true,
      operations: [{ op: 'create', key: 'LATER', value: 'later-value' }],
    })) as { set: string }
    await world.stagelet('safe-web', { projectRef: { name: 'safe' }, environment: 'preview' })
    const answer = await as('boss', 'POST', `${safe}/secrets/batch`, {
      expected_set: tried.set,
      operations: [{ op: 'create', key: 'LATER', value: 'later-value' }],
    })
    expect([answer.status, answer.text]).toEqual([409, expect.stringContaining('were changed')])
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
