// What replicas know of each other and of agents' streams, on a real server.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Opened } from '../../../src/store/open/open-store.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'

const actor = { name: 'tester', source: 'system', authority: 'whole' as const }

const box = {
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Agent',
  metadata: { namespace: 'default', name: 'box' },
  spec: {},
}

/** The status says that the agent is connected, since a time long ago. */
const connect = ({ store }: Opened, uid: string): Promise<unknown> =>
  store.write(actor, {}, async (tx) => {
    const lastSeen = '2020-01-01T00:00:00Z'
    const ready = { type: 'Ready', status: 'True', reason: 'Connected', message: 'it is' } as const
    const conditions = [{ ...ready, lastTransitionTime: lastSeen }]
    const ref = { kind: 'Agent', namespace: 'default', name: 'box' }
    const agent = (await tx.get(ref))!
    expect(agent.metadata.uid).toBe(uid)
    await tx.setStatus({ ...agent, status: { lastSeen, conditions } })
  })

describe('replicas on one database', () => {
  let a: TestStore
  let b: Opened
  let agentUid: string
  beforeAll(async () => {
    a = await openTestStore(inject('postgresUrl'))
    b = await a.again()
    const agent = await a.store.write(actor, {}, (tx) => tx.create(box))
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

  it('remember when a replica was last heard of, until the loss of its agents is written', async () => {
    await connect(a, agentUid)
    await b.connections.open(agentUid, 'boot')
    await b.replicas.beat()
    const [row] = await a.sql.query<{ ms: number }>(
      `UPDATE replicas SET seen_at = date_trunc('second', now()) - interval '1 hour' WHERE id = $1
       RETURNING (extract(epoch FROM seen_at) * 1000)::int8 AS ms`,
      [b.replicas.id],
    )
    const seen = async (): Promise<number[]> =>
      (await a.connections.lost(30_000)).map(({ seenAt }) => seenAt)
    expect(await seen()).toEqual([row!.ms])
    expect(await seen()).toEqual([row!.ms])
  })
})

it('the agents of a controller that left no heartbeat were seen when it wrote last', async () => {
  const before = await openTestStore(undefined)
  try {
    const { metadata } = await before.store.write(actor, {}, (tx) => tx.create(box))
    await connect(before, metadata.uid!)
    await before.connections.open(metadata.uid!, 'boot')
    await before.sql.query('DELETE FROM replicas', [])
    const [row] = await before.sql.query<{ at: Date }>('SELECT max(at) AS at FROM audit', [])
    await before.close()
    const after = await before.again()
    const lost = await after.connections.lost(0)
    expect(lost).toMatchObject([{ name: 'box', seenAt: row!.at.getTime() }])
  } finally {
    await before.destroy()
  }
})
