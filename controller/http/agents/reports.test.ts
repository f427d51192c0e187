import { describe, expect, it } from 'vitest'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import type { ReportedStagelet } from '../../../src/protocol/messages.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import type { AgentRoutesDeps, RegisteredAgent } from './deps.ts'
import { createReports, type Reports } from './reports.ts'
import type { ObjectCache } from './objects/object-cache.ts'
import type { StageletView } from './objects/views.ts'

const agent = { namespace: 'default', name: 'box' } as RegisteredAgent
const view = {
  namespace: 'default',
  name: 'prod',
  agentKey: 'default/box',
  projectKey: 'default/shop',
} as StageletView
const reported = (service: string): ReportedStagelet =>
  ({ stageletUid: 's', services: [{ service }] }) as unknown as ReportedStagelet

/** Of an agent: its object, and its start as it is seen before the write, and under the lock. */
interface Seen {
  readonly agent?: KubeObject
  readonly boots?: readonly [before: string, locked: string]
}

/** A store of one observation; `first` is what its first look at boots waits for. */
const open = (
  first: Promise<void> = Promise.resolve(),
  seen: () => Seen = () => ({}),
): { reports: Reports; stored: () => ObservationSpec | undefined; looks: () => number } => {
  let object: KubeObject | undefined
  let looks = 0
  const tx = {
    getFrozen: ({ kind }: { kind: string }) =>
      Promise.resolve(kind === 'Agent' ? seen().agent : object),
    putInternal: (put: KubeObject) => {
      object = put
      return Promise.resolve()
    },
  }
  const bootsOf = (at: 0 | 1): Map<string, string> => {
    const boot = seen().boots?.[at]
    return new Map(boot === undefined ? [] : [['a', boot]])
  }
  const connections = {
    bootsOf: async () => {
      looks += 1
      if (looks === 1) await first
      return bootsOf(0)
    },
    write: (_actor: unknown, fn: (...given: unknown[]) => Promise<unknown>) =>
      fn(tx, { bootsOf: () => Promise.resolve(bootsOf(1)) }),
  } as unknown as AgentRoutesDeps['connections']
  const store = {
    write: (_actor: unknown, _options: unknown, fn: (given: unknown) => Promise<unknown>) => fn(tx),
  } as unknown as AgentRoutesDeps['store']
  const duplicates = { reportedLate: () => undefined }
  const world = { stagelet: () => view } as unknown as ObjectCache
  return {
    reports: createReports(
      { store, connections, log: silentLogger, clock: realClock, duplicates },
      world,
    ),
    stored: () => object?.spec as ObservationSpec | undefined,
    looks: () => looks,
  }
}

describe('reports of agents', () => {
  it('are refused as replays also where both wait for one write', async () => {
    let release: () => void = () => undefined
    const { reports, stored, looks } = open(new Promise((resolve) => (release = resolve)))
    const send = (seq: number, service: string): Promise<string[]> =>
      reports.accept('a', agent, { boot: 'b', seq, observations: [reported(service)] })
    const before = send(1, 'one')
    await new Promise(setImmediate)
    const together = [send(3, 'one'), send(2, 'two')]
    release()
    await before
    const [newer, older] = await Promise.allSettled(together)
    expect(looks()).toBe(2)
    expect(newer?.status).toBe('fulfilled')
    expect(older).toMatchObject({ status: 'rejected', reason: { status: 409 } })
    expect(stored()).toMatchObject({ services: [{ service: 'one' }] })
  })

  it('of an earlier start do not count as made since the agent is back', async () => {
    const agentWith = (lastLost?: string): KubeObject =>
      ({ kind: 'Agent', metadata: { uid: 'u' }, status: { lastLost } }) as unknown as KubeObject
    let seen: Seen = { agent: agentWith(), boots: ['one', 'one'] }
    const { reports, stored } = open(undefined, () => seen)
    const send = (boot: string, seq: number): Promise<string[]> =>
      reports.accept('a', agent, { boot, seq, observations: [reported('web')] })
    await send('one', 1)
    expect(stored()?.presence).toBe('u/')
    // The agent was away, and has started again, after the boots were read for this write.
    seen = { agent: agentWith('2026-01-01T00:00:00Z'), boots: ['one', 'two'] }
    await expect(send('one', 2)).rejects.toMatchObject({ status: 409, reason: 'StaleBoot' })
    expect(stored()?.presence).toBe('u/')
    seen = { ...seen, boots: ['two', 'two'] }
    await send('two', 1)
    expect(stored()?.presence).toBe('u/2026-01-01T00:00:00Z')
  })
})
