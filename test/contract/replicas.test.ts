// What replicas know of each other and of agents' streams, on a real server.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Opened } from '../../src/store/open-store.ts'
import { openTestStore, type TestStore } from '../support/open-test-store.ts'

const actor = { name: 'tester', source: 'system' }

describe('replicas on one database', () => {
  let a: TestStore
  let b: Opened
  let agentUid: string
  beforeAll(async () => {
    a = await openTestStore(inject('postgresUrl'))
    b = await a.again()
    const agent = await a.store.write(actor, {}, (tx) =>
      tx.create({
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'Agent',
        metadata: { namespace: 'default', name: 'box' },
        spec: {},
      }),
    )
    agentUid = agent.metadata.uid!
  })
  afterAll(() => a.destroy())

  it('find each other by their heartbeats', async () => {
    const self = { url: 'https://10.0.0.1:8443', certificate: 'PEM' }
    a.replicas.announce(self)
    await a.replicas.beat()
    await b.replicas.beat()
    expect(b.replicas.others).toEqual([{ id: a.replicas.id, ...self }])
    expect(await b.replicas.find(a.replicas.id)).toEqual({ id: a.replicas.id, ...self })
    // One that has said no address cannot be asked, and what is no id finds nobody.
    await a.replicas.beat()
    expect(a.replicas.others).toEqual([])
    expect(await a.replicas.find(b.replicas.id)).toBeUndefined()
    expect(await a.replicas.find('nobody')).toBeUndefined()
  })

  it('know who holds the stream of an agent', async () => {
    await a.connections.open(agentUid, 'boot')
    expect((await b.replicas.holding('default', 'box'))?.id).toBe(a.replicas.id)
    expect(await a.replicas.holding('default', 'box')).toBeUndefined()
    expect(await b.replicas.holding('default', 'other')).toBeUndefined()
  })

  it('give an agent back its open stream when one that was opened too late has ended', async () => {
    const open = await a.connections.open(agentUid, 'boot')
    const late = await b.connections.open(agentUid, 'earlier boot')
    const here = (connection: string): Promise<boolean> =>
      a.connections.write(actor, async (_, streams) =>
        (await streams.note([{ uid: agentUid, connection, boot: 'boot' }], [])).has(agentUid),
      )
    expect(await here(open)).toBe(false)
    const gone = (connection: string): Promise<ReadonlySet<string>> =>
      b.connections.write(actor, (_, streams) => streams.note([], [{ uid: agentUid, connection }]))
    expect(await gone(open)).toEqual(new Set())
    expect(await gone(late)).toEqual(new Set([agentUid]))
    expect(await here(open)).toBe(true)
    // Reports of the agent's present start are no replays.
    const boots = await b.connections.write(actor, (_, streams) => streams.bootsOf([agentUid]))
    expect(boots.get(agentUid)).toBe('boot')
    expect(await here(randomUUID())).toBe(false)
  })
})
