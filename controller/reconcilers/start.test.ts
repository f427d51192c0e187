import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { Restored } from '../../src/kinds/rotation/schema.ts'
import { createRouter } from './start.ts'

const objectOf = (kind: string, name: string, more: Partial<KubeObject>): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'default', uid: name },
  ...more,
})
const rotation = (project: string, state: Restored['state']): KubeObject =>
  objectOf('Rotation', 'db', {
    spec: { projectRef: { name: project } },
    status: { restored: { state } },
  })

const start = () => {
  const asked: string[] = []
  const later: number[] = []
  const loop = {
    enqueue: (key: string) => asked.push(key),
    enqueueAfter: (_key: string, ms: number) => later.push(ms),
    stop: () => Promise.resolve(),
  }
  const route = createRouter({
    stagelets: loop,
    stageletReconciler: { isSettled: () => false, forget: () => undefined },
    reconcileReported: loop.enqueue,
    reconcileProject: () => undefined,
    rollOut: () => undefined,
    scheduleChangeSets: () => undefined,
    reconcileAgent: () => undefined,
  })
  for (const project of ['shop', 'blog']) {
    const spec = { projectRef: { name: project }, agentRef: { name: 'box' } }
    route({ type: 'ADDED', object: objectOf('Stagelet', `${project}-prod`, { spec }) })
  }
  const of = (change: Parameters<typeof route>[0]): string[] => {
    asked.length = 0
    later.length = 0
    route(change)
    return asked.map((key) => key.replace('Stagelet/default/', ''))
  }
  return Object.assign(of, { later })
}

describe('a new revision', () => {
  const project = (revision: number, spec: object): KubeObject =>
    objectOf('Project', 'shop', { spec: { ...spec }, status: { revision } })

  it('of many stagelets is judged once their agents have it, unless they take turns', () => {
    const asked = start()
    expect(asked({ type: 'MODIFIED', object: project(1, {}) })).toEqual(['shop-prod'])
    for (let i = 1; i < 1_000; i++) {
      const spec = { projectRef: { name: 'shop' }, agentRef: { name: 'box' } }
      asked({ type: 'ADDED', object: objectOf('Stagelet', `shop-${i}`, { spec }) })
    }
    expect(asked({ type: 'MODIFIED', object: project(2, {}) })).toEqual([])
    expect(asked.later).toEqual(Array.from({ length: 1_000 }, () => 2_000))
    expect(asked({ type: 'MODIFIED', object: project(3, { rollout: {} }) })).toHaveLength(1_000)
  })
})

describe('after a restore, the change of a Rotation', () => {
  it('has the stagelets reconciled that it holds otherwise, of both projects where it changes its own', () => {
    const asked = start()
    const held = rotation('shop', 'Renewing')
    const moved = rotation('blog', 'Renewing')
    expect(asked({ type: 'ADDED', object: held })).toEqual(['shop-prod'])
    expect(asked({ type: 'MODIFIED', object: held, previous: held })).toEqual([])
    expect(asked({ type: 'MODIFIED', object: moved, previous: held })).toEqual([
      ...['shop-prod', 'blog-prod'],
    ])
    const tested = rotation('blog', 'Accepted')
    expect(asked({ type: 'MODIFIED', object: tested, previous: moved })).toEqual(['blog-prod'])
    expect(asked({ type: 'DELETED', object: moved, previous: moved })).toEqual(['blog-prod'])
    expect(asked({ type: 'DELETED', object: tested, previous: tested })).toEqual([])
  })
})
