import { describe, expect, it } from 'vitest'
import { StagelyError } from '../../src/kernel/errors.ts'
import { ofKind, specOf, type Typed } from '../../src/kinds/typed.ts'
import { planPreview, type PreviewWish, type PreviewWorld } from './plan-preview.ts'

type Stagelet = Typed<'Stagelet'>

const meta = (kind: string, name: string) => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'default' },
})

const source = {
  ...meta('Stagelet', 'shop'),
  spec: {
    projectRef: { name: 'shop' },
    agentRef: { name: 'web-1' },
    environment: 'production',
    compose: {
      directory: '/srv/shop',
      files: ['compose.yaml'],
      projectName: 'shop',
      variables: ['DATA_DIR'],
      onChange: 'Hold',
    },
    deletionPolicy: 'Retain',
  },
} as Stagelet

const ready = {
  conditions: [{ type: 'Ready', status: 'True', reason: '', message: '', lastTransitionTime: '' }],
}
const agent = (name: string, tweak: object = {}): Typed<'Agent'> =>
  ({ ...meta('Agent', name), spec: {}, status: ready, ...tweak }) as Typed<'Agent'>

const worldOf = (preview: object, tweak: Partial<PreviewWorld> = {}): PreviewWorld => ({
  hidesAgents: false,
  project: {
    ...meta('Project', 'shop'),
    spec: { preview: { environment: 'preview', ttl: '72h', from: 'shop', ...preview } },
  },
  stagelets: [source],
  agents: [agent('web-1'), agent('web-2')],
  secrets: [],
  isSecretName: () => false,
  isNameFree: () => true,
  ...tweak,
})

const plan = (world: PreviewWorld, wish: Partial<PreviewWish> = {}) =>
  planPreview(world, { name: 'pr-42', ...wish }, () => 0)

/** The world with this preview in it. */
const after = (world: PreviewWorld, wish: Partial<PreviewWish> = {}): PreviewWorld => {
  const { stagelet } = plan(world, wish)
  const others = world.stagelets.filter((s) => s.metadata.name !== stagelet.metadata.name)
  return { ...world, stagelets: [...others, ofKind('Stagelet', stagelet)] }
}

const refusal = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof StagelyError) return `${error.reason}: ${error.message}`
    throw error
  }
  return 'none'
}

describe('a preview', () => {
  it('uses outside of its copied folder what the template names', () => {
    const { stagelet } = plan(worldOf({ directory: '/srv/p/{name}', mounts: ['/data/{name}'] }))
    expect(stagelet.spec).toMatchObject({
      compose: { copyOf: '/srv/shop', mounts: ['/data/pr-42'] },
    })
  })

  it('runs the files of its source under a name of its own, and goes with its volumes', () => {
    const { stagelet, before } = plan(worldOf({}))
    expect(before).toBeUndefined()
    expect(stagelet.metadata).toMatchObject({
      name: 'shop-pr-42',
      labels: { 'stagely.dev/preview': 'pr-42' },
    })
    expect(stagelet.spec).toEqual({
      projectRef: { name: 'shop' },
      agentRef: { name: 'web-1' },
      environment: 'preview',
      compose: {
        directory: '/srv/shop',
        files: ['compose.yaml'],
        projectName: 'shop-pr-42',
        onChange: 'Hold',
      },
      deletionPolicy: 'Down',
      deleteVolumes: true,
      ttl: '72h',
    })
  })

  it('has a folder of its own where the template says so, as a copy where it has a source', () => {
    const directory = '/srv/previews/{name}'
    expect(specOf('Stagelet', plan(worldOf({ directory })).stagelet).compose).toMatchObject({
      directory: '/srv/previews/pr-42',
      copyOf: '/srv/shop',
    })
    const alone = worldOf({ directory, from: undefined, agentRef: { name: 'web-2' } })
    expect(specOf('Stagelet', plan(alone).stagelet).compose).not.toHaveProperty('copyOf')
  })

  it('has ports that no other stack of its machine has, and keeps them', () => {
    const variables = { WEB_PORT: '{port 20000-20002}', HOST: '{name}.{project}.test' }
    let world = worldOf({ variables, address: 'http://{agent}:{WEB_PORT}/{HOST}' })
    for (const name of ['a', 'b', 'c']) world = after(world, { name })
    const ports = world.stagelets.map(({ spec }) => spec.compose.values?.['WEB_PORT'])
    expect(ports).toEqual([undefined, '20000', '20001', '20002'])
    expect(world.stagelets[2]?.spec.address).toBe('http://web-1:20001/b.shop.test')
    expect(refusal(() => plan(world, { name: 'd' }))).toMatch(/^Conflict: no port of/)
    expect(specOf('Stagelet', plan(world, { name: 'b' }).stagelet)).toEqual(
      world.stagelets[2]?.spec,
    )
  })

  it('gets no port that a container publishes already', () => {
    const services = [
      { name: 'web', state: 'running', ports: ['20000/tcp', '127.0.0.1:20001/tcp'] },
    ]
    const busy = { ...source, status: { services } } as Stagelet
    const world = worldOf({ variables: { P: '{port 20000-20002}' } }, { stagelets: [busy] })
    expect(specOf('Stagelet', plan(world).stagelet).compose.values).toEqual({ P: '20002' })
  })

  it('keeps what the caller does not name', () => {
    const images = { web: 'web:1' }
    const world = after(worldOf({}), { images, ttl: '10m' })
    const spec = specOf('Stagelet', plan(world, { images: { api: 'api:2' } }).stagelet)
    expect(spec.compose.images).toEqual({ web: 'web:1', api: 'api:2' })
    expect(spec.ttl).toBe('10m')
  })

  it('stays on its machine, and is put onto the least used one that can take it', () => {
    const labels = { previews: 'yes' }
    const box = (name: string, tweak: object = {}) =>
      agent(name, { metadata: { name, namespace: 'default', labels }, ...tweak })
    const drained = box('web-3', { spec: { drained: true } })
    const agents = [box('web-1'), box('web-2'), drained, agent('web-4')]
    const world = worldOf({ agentSelector: { matchLabels: labels } }, { agents })
    const placed = after(world)
    expect(placed.stagelets[1]?.spec.agentRef.name).toBe('web-2')
    expect(specOf('Stagelet', plan({ ...placed, agents: [] }).stagelet).agentRef.name).toBe('web-2')
    expect(refusal(() => plan({ ...world, agents: [drained] }))).toMatch(/web-3 is away, paused/)
    expect(refusal(() => plan({ ...world, agents: [] }))).toMatch(/no agent has the labels/)
    expect(refusal(() => plan(worldOf({ agentRef: { name: 'gone' } })))).toMatch(/there is not/)
  })

  it('is one of at most so many, also while others are being taken down', () => {
    const world = after(worldOf({ max: 1 }), { name: 'a' })
    expect(refusal(() => plan(world, { name: 'b' }))).toMatch(/has 1 previews, and .*max is 1/)
    expect(refusal(() => plan(world, { name: 'a' }))).toBe('none')
  })

  it('takes no name of something else, and waits for one that is going', () => {
    const other = { ...source, metadata: { ...source.metadata, name: 'shop-pr-42' } }
    expect(refusal(() => plan(worldOf({}, { stagelets: [source, other] })))).toMatch(
      /^Conflict: .*is something else: choose another name/,
    )
    const world = after(worldOf({}))
    const [, made] = world.stagelets
    const going = { ...made!, metadata: { ...made!.metadata, deletionTimestamp: 'now' } }
    expect(refusal(() => plan({ ...world, stagelets: [source, going] }))).toMatch(
      /being taken down/,
    )
    expect(refusal(() => plan(world, { name: 'x'.repeat(80) }))).toMatch(/^Invalid: .*is too long/)
  })

  it('leads by its name to nothing that another stack of its machine has', () => {
    const data = { ...source.spec.compose, directory: '/opt/x', values: { DATA: '/data/live' } }
    const other = (spec: object) =>
      ({ ...meta('Stagelet', 'bank-web'), spec: { ...source.spec, ...spec } }) as Stagelet
    const bank = other({ compose: { directory: '/srv/bank/web' } })
    const tried = (preview: object, name: string, ...others: Stagelet[]): string =>
      refusal(() => plan(worldOf(preview, { stagelets: [source, ...others] }), { name }))
    const elsewhere = /^Conflict: .*is something else: choose another name/
    expect(tried({ directory: '/srv/{name}' }, 'shop')).toMatch(elsewhere)
    expect(tried({ directory: '/srv/{name}' }, 'bank', bank)).toMatch(elsewhere)
    expect(tried({ directory: '/srv/{name}/web/x' }, 'bank', bank)).toMatch(elsewhere)
    const mounts = { directory: '/srv/p/{name}', mounts: ['/data/{name}'] }
    expect(tried(mounts, 'live', other({ compose: data }))).toMatch(elsewhere)
    expect(tried({ variables: { DIR: '../{name}/web/data' } }, 'bank', bank)).toMatch(elsewhere)
    expect(
      tried({ variables: { DATA: '/data/{name}' } }, 'live', other({ compose: data })),
    ).toMatch(elsewhere)
    // Where the template leads with any name, on another machine, and its own.
    expect(tried({ directory: '/srv/shop/previews/{name}' }, 'pr-1')).toBe('none')
    const away = other({ agentRef: { name: 'web-2' }, compose: bank.spec.compose })
    expect(tried({ directory: '/srv/{name}' }, 'bank', away)).toBe('none')
    const world = after(worldOf({ directory: '/srv/{name}' }))
    expect(refusal(() => plan(after(world)))).toBe('none')
  })

  it('says what the template lacks', () => {
    expect(refusal(() => plan(worldOf({}, { stagelets: [] })))).toMatch(/names stagelet "shop"/)
    const none = { ...worldOf({}), project: meta('Project', 'shop') as Typed<'Project'> }
    expect(refusal(() => plan(none))).toMatch(/has no template for previews/)
  })
})

describe('whoever makes a preview', () => {
  const template = { variables: { DATA_DIR: '/srv/previews/{name}' }, generate: ['PASSWORD'] }

  it('sets no variable of the Compose file, nothing that is generated, and nothing that steers Compose', () => {
    const set = {
      DATA_DIR: '/',
      PASSWORD: 'x',
      COMPOSE_FILE: '/etc/x',
      LD_PRELOAD: 'x',
      FINE: 'yes',
    }
    const message = refusal(() => plan(worldOf(template), { set }))
    expect(message).toMatch(/^Invalid: /)
    for (const key of ['DATA_DIR', 'PASSWORD', 'COMPOSE_FILE', 'LD_PRELOAD'])
      expect(message).toContain(`set[${key}]: Forbidden`)
    expect(message).not.toContain('FINE')
    // A value of the caller never fills what its source lets secrets fill.
    expect(
      specOf('Stagelet', plan(worldOf({}), { set: { DATA_DIR: '/' } }).stagelet).compose,
    ).not.toHaveProperty('variables')
  })

  it('chooses images of the named repositories alone, where the template names some', () => {
    const world = worldOf({ images: { web: 'ghcr.io/acme/web' } })
    expect(refusal(() => plan(world, { images: { web: 'ghcr.io/acme/web:2' } }))).toBe('none')
    const bad = refusal(() => plan(world, { images: { web: 'evil/web', db: 'postgres' } }))
    expect(bad).toMatch(/images\[web\]: Forbidden: .*ghcr.io\/acme\/web; images\[db\]: Forbidden/)
  })
})

describe('the secrets of a preview', () => {
  const own = (key: string, tweak: object): Typed<'StagelySecret'> => ({
    ...meta('StagelySecret', key.toLowerCase()),
    spec: {
      projectRef: { name: 'shop' },
      key,
      scope: 'global',
      type: 'env',
      stageletRef: { name: 'shop-pr-42' },
      ...tweak,
    },
  })

  it('are generated once, and plain where the caller gives them', () => {
    const first = plan(worldOf({ generate: ['PASSWORD'] }), { set: { FEATURE_X: 'on' } }).secrets
    expect(first.map(({ after: made }) => [made.metadata.name, made.spec])).toEqual([
      [
        'password.global.shop-pr-42',
        expect.objectContaining({ key: 'PASSWORD', valueFrom: { generate: {} } }),
      ],
      [
        'feature-x.global.shop-pr-42',
        expect.objectContaining({ key: 'FEATURE_X', visibility: 'Plain', value: 'on' }),
      ],
    ])
    const secrets = [own('PASSWORD', {}), own('FEATURE_X', { visibility: 'Plain' })]
    const again = plan(worldOf({ generate: ['PASSWORD'] }, { secrets }), {
      set: { FEATURE_X: 'off' },
    })
    expect(
      again.secrets.map(({ before, after: made }) => [before?.spec.key, made.spec?.['value']]),
    ).toEqual([['FEATURE_X', 'off']])
  })

  it('that are masked are not set in the open', () => {
    const world = worldOf({}, { secrets: [own('TOKEN', {})] })
    const message = refusal(() => plan(world, { set: { TOKEN: 'hush' } }))
    expect(message).toMatch(/has a masked secret of its own for TOKEN/)
    expect(message).not.toContain('hush')
  })
})
