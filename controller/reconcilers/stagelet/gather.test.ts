import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/resources/limits.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { Restored } from '../../../src/kinds/rotation/schema.ts'
import type { Reader } from '../../../src/store/store.ts'
import { gatherStagelet } from './gather.ts'

const ref = { namespace: 'default', name: 'prod' }
const objectOf = (kind: string, name: string, more: Partial<KubeObject> = {}): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'default', uid: name },
  ...more,
})
const rotation = (name: string, restored: Pick<Restored, 'state' | 'revision'>): KubeObject =>
  objectOf('Rotation', name, { status: { restored } })

/** The project has closed revision 6. */
const untestedWith = async (closesAt: number | undefined, ...rotations: KubeObject[]) => {
  const objects: Record<string, KubeObject> = {
    Stagelet: objectOf('Stagelet', 'prod', {
      spec: { projectRef: { name: 'shop' }, agentRef: { name: 'box' } },
    }),
    Project: objectOf('Project', 'shop'),
  }
  const reader = {
    get: ({ kind }: { kind: string }) => Promise.resolve(objects[kind]),
    list: () => Promise.resolve({ items: rotations }),
    revisionsOf: () => Promise.resolve({ epoch: 1, closed: 6, closesAt, quietAt: 0 }),
    readSet: (projectUid: string, at: number | 'head') =>
      Promise.resolve({ projectUid, epoch: 1, revision: at === 'head' ? 6 : at, entries: [] }),
  } as unknown as Reader
  return (await gatherStagelet(reader, ref, 0))?.untested
}

it('a report that was stored without bounds is judged within them', async () => {
  const services = Array.from({ length: limits.services + 1 }, (_, i) => ({ name: `s${i}` }))
  const observed = { agent: 'default/box', stageletUid: 'prod', services }
  const objects: Record<string, KubeObject> = {
    Stagelet: objectOf('Stagelet', 'prod', {
      spec: { projectRef: { name: 'shop' }, agentRef: { name: 'box' } },
    }),
    Observation: objectOf('Observation', 'prod', { spec: observed }),
  }
  const reader = { get: ({ kind }: { kind: string }) => Promise.resolve(objects[kind]) }
  const input = await gatherStagelet(reader as unknown as Reader, ref, 0)
  expect(input?.observation?.services).toHaveLength(limits.services)
  expect(input?.observation?.cut).toEqual([
    { field: 'services', had: limits.services + 1, kept: limits.services },
  ])
})

describe('after a restore, a stagelet is held by', () => {
  it('the Rotation of its project that lets through least', async () => {
    const all = [
      rotation('a', { state: 'Renewed', revision: 5 }),
      rotation('b', { state: 'Renewing' }),
    ]
    expect(await untestedWith(undefined, ...all)).toEqual({ rotation: 'b', from: Infinity })
    expect(await untestedWith(undefined, rotation('c', { state: 'Accepted' }))).toBeUndefined()
  })

  it('a revision that the project has, closed or open', async () => {
    const next = rotation('a', { state: 'Renewed', revision: 7 })
    expect(await untestedWith(1, next)).toEqual({ rotation: 'a', from: 7 })
    expect(await untestedWith(undefined, next)).toBeUndefined()
  })
})
