import { describe, expect, it } from 'vitest'
import type { KubeObject, ObjectRef } from '../../resources/meta.ts'
import { changeEvent } from '../core/change-event.ts'
import { objectRow } from '../state/rows.ts'
import { StoreState } from '../state/state.ts'
import { Ring } from './ring.ts'

const shop: ObjectRef = { kind: 'Project', namespace: 'default', name: 'shop' }
const withEnvironment = (environment: string): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Project',
  metadata: { namespace: 'default', name: 'shop' },
  spec: { environments: [environment] },
})
const change = (resourceVersion: number, was?: string, is = 'none', id = 'Project/default/shop') =>
  changeEvent({
    id,
    resourceVersion,
    type: 'MODIFIED',
    text: JSON.stringify(withEnvironment(is)),
    previous: was === undefined ? undefined : JSON.stringify(withEnvironment(was)),
  })

const stateWith = (environment?: string): StoreState => {
  const state = new StoreState({ rv: 0, epoch: 1 })
  if (environment === undefined) return state
  const text = JSON.stringify(withEnvironment(environment))
  state.load([objectRow(shop, { uid: 'u', rv: 0, source: 'api', text })])
  return state
}

describe('the newest changes', () => {
  const environmentsAt = (ring: Ring, version: number, now?: string): unknown =>
    ring.finderAt(version, stateWith(now))(shop)?.spec?.['environments']

  it('find a project as it was at each version, and as it is where nothing changed it since', () => {
    const ring = new Ring(10)
    ring.push([
      change(12, undefined, 'production'),
      change(14, 'production'),
      change(16, undefined),
    ])
    expect([10, 11].map((at) => environmentsAt(ring, at, 'preview'))).toEqual([
      undefined,
      undefined,
    ])
    expect([12, 13].map((at) => environmentsAt(ring, at, 'preview'))).toEqual(
      Array(2).fill(['production']),
    )
    expect([14, 15].map((at) => environmentsAt(ring, at, 'preview'))).toEqual([
      undefined,
      undefined,
    ])
    expect([16, 17].map((at) => environmentsAt(ring, at, 'preview'))).toEqual(
      Array(2).fill(['preview']),
    )
    expect(environmentsAt(ring, 16)).toBeUndefined()
  })

  it('are too few for a version that they do not reach back to', () => {
    const ring = new Ring(10)
    expect(() => ring.finderAt(9, stateWith())).toThrow(/too old/)
    ring.push([change(11, 'first')])
    const many = Array.from({ length: 8_200 }, (_, i) =>
      change(12 + i, 'x', 'x', 'Agent/default/a'),
    )
    ring.push([...many, change(9_000, 'second')])
    expect(() => ring.finderAt(11, stateWith())).toThrow(/too old/)
    expect(environmentsAt(ring, ring.floor, 'third')).toEqual(['second'])
    expect(ring.after(8_999).map(({ resourceVersion }) => resourceVersion)).toEqual([9_000])
  })
})
