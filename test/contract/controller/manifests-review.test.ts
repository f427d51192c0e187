// The review of a change set on a real store: what would change, whom it reaches, and nothing kept.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { reviewChangeSet } from '../../../controller/http/kube/review.ts'
import type { ReviewStatus } from '../../../src/manifests/review.ts'
import { keysText } from '../../../src/secrets/key-change.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'

const never = new AbortController().signal
const apiVersion = 'stagely.dev/v1alpha1'
const actor = { name: 'me', source: 'api', authority: 'whole' as const }
const object = (kind: string, name: string, spec: Record<string, unknown> = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'default' },
  spec,
})
const secret = (name: string, key: string, scope: string, value?: string): KubeObject =>
  object('StagelySecret', name, {
    projectRef: { name: 'shop' },
    key,
    scope,
    ...(value === undefined ? {} : { value }),
  })
const stagelet = object('Stagelet', 'shop', {
  projectRef: { name: 'shop' },
  agentRef: { name: 'box' },
  compose: { directory: '/srv/shop' },
})

let test: TestStore
const review = (...objects: unknown[]): Promise<ReviewStatus> =>
  reviewChangeSet(test.store, actor, { namespace: 'default', objects, signal: never })

const reached = (status: ReviewStatus): string[] =>
  status.affected.map((hit) => `${hit.service}: ${hit.keys.join(',')} (${hit.reason})`)

describe('ChangeSetReview', () => {
  beforeAll(async () => {
    test = await openTestStore(inject('postgresUrl'))
    await test.store.write(actor, {}, async (tx) => {
      const namespace = { kind: 'Namespace', namespace: '', name: 'default' }
      if ((await tx.get(namespace)) === undefined) {
        await tx.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } })
      }
      await tx.create(object('Project', 'shop'))
      await tx.create(object('Agent', 'box'))
      await tx.create(secret('stripe', 'STRIPE', 'backend', 'one'))
      await tx.create(secret('level', 'LEVEL', 'global', 'info'))
      const created = await tx.create(stagelet)
      const services = ['backend', 'frontend', 'postgres'].map((name) => ({ name }))
      await tx.setStatus({ ...created, status: { ...created.status, services } })
    })
  })
  afterAll(() => test.destroy())

  it('reaches only the service that sees the changed secret', async () => {
    const status = await review(secret('stripe', 'STRIPE', 'backend', 'two'))
    expect(status.faults).toEqual([])
    expect(status.changes).toMatchObject([{ action: 'Update', valueChanged: true, fields: [] }])
    expect(reached(status)).toEqual(['backend: STRIPE (new value)'])
  })

  it('reaches every service by a global, but not one whose own secret beats it', async () => {
    expect(reached(await review(secret('level', 'LEVEL', 'global', 'debug')))).toHaveLength(3)
    const status = await review(secret('global-stripe', 'STRIPE', 'global', 'x'))
    expect(reached(status)).toEqual(['frontend: STRIPE (new key)', 'postgres: STRIPE (new key)'])
  })

  it('names apart who is re-created without seeing the change: who shares a namespace, at any remove', async () => {
    const services = [
      { name: 'backend', state: 'running' },
      { name: 'sidecar', state: 'running', sharesWith: ['backend'] },
      { name: 'probe', state: 'running', sharesWith: ['sidecar'] },
      { name: 'frontend', state: 'running' },
    ]
    const linked = (object: KubeObject): KubeObject => ({
      ...object,
      metadata: { ...object.metadata, name: `linked-${object.metadata.name}` },
      spec: { ...object.spec, projectRef: { name: 'linked' } },
    })
    await test.store.write(actor, {}, async (tx) => {
      await tx.create(object('Project', 'linked'))
      const spec = { ...stagelet.spec, compose: { directory: '/srv/peers' } }
      const made = await tx.create(linked({ ...stagelet, spec }))
      await tx.setStatus({ ...made, status: { ...made.status, services } })
    })
    const { cascaded } = await review(linked(secret('stripe', 'STRIPE', 'backend', 'two')))
    const where = { namespace: 'default', stagelet: 'linked-shop' }
    expect(cascaded).toEqual([
      { ...where, service: 'sidecar', with: ['backend'] },
      { ...where, service: 'probe', with: ['sidecar'] },
    ])
    const global = await review(linked(secret('level', 'LEVEL', 'global', 'debug')))
    expect([reached(global).length, global.cascaded]).toEqual([4, []])
  })

  it('shows old and new of a plain value, and nothing of a masked one', async () => {
    const plain = (value: string): KubeObject => {
      const made = secret('port', 'PORT', 'global', value)
      return { ...made, spec: { ...made.spec, visibility: 'Plain' } }
    }
    expect((await review(plain('80'))).changes[0]?.plain).toEqual({ after: '80' })
    await test.store.write(actor, {}, (tx) => tx.create(plain('80')))
    expect((await review(plain('81'))).changes[0]?.plain).toEqual({ before: '80', after: '81' })
    const hidden = { ...plain('82'), spec: { ...plain('82').spec, visibility: 'Masked' } }
    const masked = (await review(hidden)).changes[0]
    expect(masked?.plain).toEqual({ before: '80' })
    const stripe = (await review(secret('stripe', 'STRIPE', 'backend', 'two'))).changes[0]
    expect(stripe).not.toHaveProperty('plain')
    const only = { ...plain('80'), spec: { ...plain('80').spec, visibility: 'Masked' } }
    const visibility = await review(only)
    expect(visibility.changes[0]?.fields).toEqual(['spec.visibility'])
    expect(visibility.affected).toEqual([])
  })

  it('names the key that goes when a scope moves', async () => {
    const status = await review(secret('stripe', 'STRIPE', 'frontend', 'one'))
    expect(status.changes[0]?.fields).toEqual(['spec.scope'])
    expect(reached(status)).toEqual(['backend: STRIPE (key gone)', 'frontend: STRIPE (new key)'])
  })

  it('says what a service gains and loses when its stagelet moves, or its environment inherits otherwise', async () => {
    const project = (inherits: string): KubeObject =>
      object('Project', 'moves', {
        environments: [{ name: 'production' }, { name: 'preview', inherits }],
      })
    const keyed = (key: string, environments?: string[]): KubeObject =>
      object('StagelySecret', `${key}-${environments?.join('-') ?? 'all'}`.toLowerCase(), {
        projectRef: { name: 'moves' },
        key,
        value: `${key} of ${environments?.join() ?? 'all'}`,
        ...(environments && { environments }),
      })
    const inEnvironment = (environment: string): KubeObject =>
      object('Stagelet', 'mover', {
        ...stagelet.spec,
        projectRef: { name: 'moves' },
        compose: { directory: '/srv/mover' },
        environment,
      })
    await test.store.write(actor, {}, async (tx) => {
      await tx.create(project('Project'))
      await tx.create(keyed('GONE', ['production']))
      await tx.create(keyed('OTHER', ['production']))
      await tx.create(keyed('OTHER', ['preview']))
      await tx.create(keyed('NEW', ['preview']))
      await tx.create(keyed('ALL'))
      const made = await tx.create(inEnvironment('production'))
      const services = [{ name: 'web' }]
      await tx.setStatus({ ...made, status: { ...made.status, services } })
    })
    const texts = async (...objects: KubeObject[]): Promise<string[]> =>
      (await review(...objects)).affected.map((hit) => `${hit.service}: ${keysText(hit)}`)
    expect(await texts(inEnvironment('preview'))).toEqual([
      'web: gains NEW, loses GONE, other value of OTHER',
    ])
    expect(await texts(project('Nothing'), inEnvironment('preview'))).toEqual([
      'web: gains NEW, loses ALL, GONE, other value of OTHER',
    ])
    const isolated = object('Project', 'moves', {
      environments: [{ name: 'production', inherits: 'Nothing' }, { name: 'preview' }],
    })
    expect(await texts(isolated)).toEqual(['web: loses ALL'])
  })

  it('says unchanged for equal values, whatever is given', async () => {
    const given = [secret('stripe', 'STRIPE', 'backend', 'one'), secret('level', 'LEVEL', 'global')]
    await test.store.write(actor, {}, async (tx) => {
      for (const one of given)
        await tx.update({
          ...(await tx.get({ kind: one.kind, namespace: 'default', name: one.metadata.name }))!,
          spec: one.spec!,
        })
    })
    const { changes, affected } = await review(...given)
    expect(changes.map((c) => [c.fields, c.valueChanged])).toEqual([
      [[], false],
      [[], false],
    ])
    expect(affected).toEqual([])
  })

  it('sees a whole new project with its secrets in any order', async () => {
    const status = await review(
      object('StagelySecret', 'n', { projectRef: { name: 'new' }, key: 'N', value: 'v' }),
      object('Project', 'new'),
    )
    expect(status.faults).toEqual([])
    expect(status.changes.map((c) => `${c.index} ${c.action} ${c.name}`)).toEqual([
      '0 Create n',
      '1 Create new',
    ])
  })

  it('reports all faults at once, by object', async () => {
    const status = await review(
      {
        apiVersion,
        kind: 'Stagelet',
        metadata: { name: 'x' },
        spec: { compose: { directory: 'rel', nope: 1 } },
      },
      secret('double', 'STRIPE', 'backend', 'canary'),
      'nonsense',
      { apiVersion, kind: 'Observation', metadata: { name: 'x' }, spec: {} },
      secret('fine', 'FINE', 'global', 'v'),
    )
    expect([...new Set(status.faults.map((f) => f.index))]).toEqual([0, 1, 2, 3])
    expect(status.faults.filter((f) => f.index === 0).length).toBeGreaterThan(2)
    expect(status.changes.map((c) => c.name)).toEqual(['fine'])
    expect(JSON.stringify(status)).not.toContain('canary')
  })

  it('tells of a value that refers to what is to come, and of one that is read as references from now on', async () => {
    const output = secret('password', 'PASSWORD', 'postgres')
    const valueFrom = { rotation: { name: 'db', output: 'password' } }
    const url = secret('url', 'URL', 'backend', 'db://${postgres/PASSWORD}@db')
    const referring = (one: KubeObject): KubeObject => ({
      ...one,
      spec: { ...one.spec, references: true },
    })
    const level = secret('level-text', 'TEXT', 'backend', 'at ${LEVEL}')
    await test.store.write(actor, {}, async (tx) => {
      await tx.create({ ...output, spec: { ...output.spec, valueFrom } })
      await tx.create({ ...url, spec: { ...url.spec, value: 'db://app:old@db' } })
      await tx.create(level)
    })
    const { faults, changes, affected } = await review(referring(url), referring(level))
    expect(faults).toEqual([])
    expect(changes).toMatchObject([
      { fields: ['spec.references'], valueChanged: false, awaits: ['postgres/PASSWORD'] },
      { fields: ['spec.references'], valueChanged: true },
    ])
    expect(changes[1]).not.toHaveProperty('awaits')
    expect(affected).toMatchObject([{ service: 'backend', keys: ['TEXT'] }])
  })

  it('stores nothing', async () => {
    const before = await test.store.currentVersion()
    await review(secret('stripe', 'STRIPE', 'backend', 'three'), object('Project', 'other'))
    expect(await test.store.currentVersion()).toBe(before)
    expect(
      await test.store.get({ kind: 'Project', namespace: 'default', name: 'other' }),
    ).toBeUndefined()
  })
})
