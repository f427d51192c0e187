import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../../../src/kernel/log.ts'
import type { KubeObject } from '../../../../src/resources/meta.ts'
import type { Restored } from '../../../../src/kinds/rotation/schema.ts'
import type { ChangeEvent } from '../../../../src/store/store.ts'
import { createFakeClock } from '../../../../test/support/fake-clock.ts'
import type { AgentRoutesDeps } from '../deps.ts'
import { createObjectCache } from './object-cache.ts'

const objectOf = (kind: string, name: string, more: Partial<KubeObject>): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'default', uid: name, resourceVersion: '1' },
  ...more,
})
const stagelet = (project: string): KubeObject =>
  objectOf('Stagelet', `${project}-prod`, {
    spec: { projectRef: { name: project }, agentRef: { name: 'box' }, compose: {} },
  })
const rotation = (project: string, version: number, state: Restored['state']): KubeObject => {
  const object = objectOf('Rotation', 'db', {
    spec: { projectRef: { name: project } },
    status: { restored: { state } },
  })
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
}

/** A cache of two projects, and of a Rotation that holds the first one. */
const start = async () => {
  const told: string[] = []
  const awaited: ((event: ChangeEvent) => void)[] = []
  const kept: Record<string, KubeObject[]> = {
    Rotation: [rotation('shop', 1, 'Renewing')],
    Stagelet: [stagelet('shop'), stagelet('blog')],
  }
  const store = {
    currentVersion: () => Promise.resolve(1),
    list: (kind: string) => Promise.resolve({ items: kept[kind] ?? [] }),
    watch: async function* (_: number, signal: AbortSignal) {
      while (!signal.aborted)
        yield [
          await new Promise<ChangeEvent>((resolve, reject) => {
            awaited.push(resolve)
            signal.addEventListener('abort', () => {
              reject(signal.reason as Error)
            })
          }),
        ]
    },
  }
  const deps = { store, clock: createFakeClock(), log: silentLogger } as unknown as AgentRoutesDeps
  const objects = createObjectCache(deps, {
    stageletChanged: (_, uid) => told.push(uid),
    agentChanged: () => undefined,
  })
  await objects.ready
  /** Which stagelets are announced after a change. */
  const change = async (object: KubeObject): Promise<string[]> => {
    told.length = 0
    await expect.poll(() => awaited.length).toBe(1)
    const resourceVersion = Number(object.metadata.resourceVersion)
    awaited.pop()!({ type: 'MODIFIED', object, resourceVersion } as ChangeEvent)
    await expect.poll(() => awaited.length).toBe(1)
    return [...told]
  }
  return { objects, change }
}

describe('the cache of the agent stream', () => {
  it('holds the project that a Rotation names now, and no longer the one before', async () => {
    const { objects, change } = await start()
    expect(objects.holdsOn('default/shop')).toMatchObject([{ from: Infinity }])
    expect(await change(rotation('blog', 2, 'Renewing'))).toEqual(['shop-prod', 'blog-prod'])
    expect(objects.holdsOn('default/shop')).toEqual([])
    expect(objects.holdsOn('default/blog')).toMatchObject([{ from: Infinity }])
    expect(await change(rotation('blog', 3, 'Accepted'))).toEqual(['blog-prod'])
    expect(objects.holdsOn('default/blog')).toEqual([])
    expect(await change(rotation('shop', 4, 'Accepted'))).toEqual([])
    await objects.stop()
  })
})
