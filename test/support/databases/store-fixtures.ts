// Short forms of objects for tests of the store.
import { expect } from 'vitest'
import { apiVersion, type KubeObject } from '../../../src/resources/meta.ts'
import type { Clock } from '../../../src/kernel/clock.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import type { Actor, Store } from '../../../src/store/store.ts'

export const api: Actor = { name: 'alice', source: 'api', authority: 'whole' }
export const folder: Actor = { name: 'folder', source: 'folder:/srv/manifests', authority: 'whole' }
export const system: Actor = { name: 'controller', source: 'system', authority: 'whole' }

export const objectOf = (
  kind: string,
  namespace: string,
  name: string,
  spec: Record<string, unknown> = {},
): KubeObject => ({ apiVersion, kind, metadata: { name, namespace }, spec })

export const secretOf = (
  namespace: string,
  name: string,
  spec: Record<string, unknown> = {},
): KubeObject =>
  objectOf('StagelySecret', namespace, name, {
    projectRef: { name: 'shop' },
    key: name.toUpperCase().replaceAll('-', '_'),
    ...spec,
  })

export const stageletOf = (
  namespace: string,
  name: string,
  compose: Record<string, unknown> = {},
): KubeObject =>
  objectOf('Stagelet', namespace, name, {
    projectRef: { name: 'shop' },
    agentRef: { name: 'box' },
    compose: { directory: `/srv/${name}`, ...compose },
  })

export const createAs = (store: Store, actor: Actor, object: KubeObject): Promise<KubeObject> =>
  store.write(actor, {}, (tx) => tx.create(object))
export const updateAs = (store: Store, actor: Actor, object: KubeObject): Promise<KubeObject> =>
  store.write(actor, {}, (tx) => tx.update(object))

/** Why it was refused. The error says nothing of the value `canary`. */
export const refusalOf = async (write: Promise<unknown>, canary: string): Promise<string> => {
  const error = (await write.then(
    () => {
      throw new Error('it was not refused')
    },
    (e: unknown) => e,
  )) as Error
  expect(error).toMatchObject({ reason: expect.stringMatching(/Invalid|Conflict/) as string })
  expect(JSON.stringify(error) + error.message).not.toContain(canary)
  return error.message
}

let count = 0
/** A fresh namespace with the project `shop` in it. */
export const createShop = async (store: Store): Promise<{ ns: string; projectUid: string }> => {
  const ns = `team-${++count}`
  const project = await store.write(api, {}, async (tx) => {
    await tx.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } })
    return tx.create(objectOf('Project', ns, 'shop'))
  })
  return { ns, projectUid: project.metadata.uid! }
}

export interface SteppedClock extends Clock {
  step(ms: number): void
}

/** Sleeps in real time; tells the time that the test wants. */
export const createSteppedClock = (startMs = 1_800_000_000_000): SteppedClock => {
  let now = startMs
  return {
    now: () => now,
    monotonic: () => now,
    sleep: (ms, signal) => realClock.sleep(ms, signal),
    step: (ms) => {
      now += ms
    },
  }
}
