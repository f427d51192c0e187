// Several controllers and their agents, each a process, on one Postgres. What is done to the leader is
// chosen by a seed: STAGELY_TEST_SEED repeats a run, STAGELY_TEST_ROUNDS says how many rounds, and the
// database is away for STAGELY_TEST_OUTAGE_SECONDS each time.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { describeAsRoot } from '../support/as-root.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { openPg } from '../../src/store/drivers/pg.ts'
import { startChaos, type Chaos } from '../support/replicas/chaos.ts'
import { namespaced } from '../support/replicas/client.ts'
import {
  containersOf,
  eventually,
  sleep,
  startFleet,
  type Fleet,
  type Replica,
} from '../support/replicas/fleet.ts'
import { startLoad, startWatcher, type Load, type Watcher } from '../support/replicas/load.ts'
import { keepForLater } from '../support/databases/set-back.ts'
import { soak } from '../support/soak.ts'

const rounds = Number(process.env['STAGELY_TEST_ROUNDS'] ?? soak(4, 60))
const agents = soak(2, 10)
const seed = Number(process.env['STAGELY_TEST_SEED'] ?? '1')
const outageMs = (short: number): number =>
  Number(process.env['STAGELY_TEST_OUTAGE_SECONDS'] ?? soak(short, 60)) * 1_000
/** A silent database is noticed within 4 s, which is less than this also where processors are busy. */
const noticedMs = 8_000
/** The store waits for the answer of a database for 1.5 s: no request waits for more than that, and what the machine takes. */
const askedMs = 2_000

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1)

/** How the streams that an agent had came to their ends, by its log. */
const endsOf = (log: string): ('ended' | 'cut')[] => {
  const ends: ('ended' | 'cut')[] = []
  let broke = false
  for (const line of log.split('\n').filter((text) => /^{.*}$/.test(text))) {
    const { message, outcome } = JSON.parse(line) as { message: string; outcome?: string }
    if (message === 'the stream broke') broke = true
    else if (message === 'the stream ended') broke = false
    // Another outcome is a try to connect that found no replica.
    else if (message === 'connecting again' && outcome === 'lost')
      ends.push(broke ? 'cut' : 'ended')
  }
  return ends
}

describeAsRoot(`three controllers and ${agents} agents`, () => {
  let fleet: Fleet
  let chaos: Chaos
  let load: Load
  let watcher: Watcher
  beforeAll(async () => {
    fleet = await startFleet({ controllers: 3, agents })
    chaos = startChaos(fleet, seed)
    await fleet.converged(chaos.tokens, 120_000)
    watcher = await startWatcher(fleet.client)
    load = await startLoad(fleet.client, 3)
  })
  afterAll(async () => {
    await load?.stop().catch(() => undefined)
    await watcher?.stop()
    await fleet?.stop()
  })
  afterEach(() => {
    for (const replica of fleet.replicas) fleet.network.heal(replica.index)
  })

  /** Every write that was acknowledged is there, and a watcher has seen each of them, in order. */
  const expectNothingLost = async (): Promise<void> => {
    await load.pause()
    const { acknowledged } = load
    await eventually(30_000, async () => {
      const newest = acknowledged.map((_, i) => watcher.seen.get(`load-${i}`)?.at(-1))
      expect(newest).toEqual(acknowledged)
      await Promise.resolve()
    })
    for (const [i, n] of acknowledged.entries()) {
      expect(watcher.seen.get(`load-${i}`)).toEqual(upTo(n))
      const secret = await fleet.client.must<{
        metadata: { annotations: Record<string, string> }
        status: { version: number }
      }>('GET', `${namespaced}/stagelysecrets/load-${i}`)
      expect(secret.metadata.annotations['n']).toBe(String(n))
      // A version for each value: none was lost, none written twice.
      expect(secret.status.version).toBe(n + 1)
    }
    expect(watcher.faults).toEqual([])
    load.resume()
  }

  it('answer reads and writes while no leader does anything', async () => {
    const { replica: leader } = await fleet.leader()
    const other = fleet.replicas.find((r) => r !== leader)!
    const watch = new AbortController()
    leader.program.child.kill('SIGSTOP')
    try {
      const begun = performance.now()
      const stream = await other.client.open(`${namespaced}/stagelets?watch=1`, watch.signal)
      stream.on('error', () => undefined).resume()
      for (let i = 0; i < 20; i++) {
        await other.client.must('GET', `${namespaced}/stagelets`)
        await other.client.must('GET', `${namespaced}/stagelets/s-${i % agents}`)
        await other.client.must('GET', '/api/v1/projects')
      }
      const metadata = { annotations: { read: 'without a leader' } }
      await other.client.must('PATCH', `${namespaced}/projects/fleet`, { metadata })
      console.log(`60 reads, a watch and a write without the leader: ${since(begun)} ms`)
    } finally {
      watch.abort()
      leader.program.child.kill('SIGCONT')
    }
  })

  it('hand logs from the replica that has the agent to the one that has the reader', async () => {
    const agentOf = await fleet.database.query<{ replica: string }>(
      "SELECT c.replica FROM objects o JOIN agent_connections c ON c.agent_uid = o.uid WHERE o.kind = 'Agent' AND o.name = 'box-0'",
    )
    const path = '/api/v1/stagelets/default%2Fs-0/logs?follow=true&tail=1'
    const leaving = new AbortController()
    const firstLine = async ({ client }: (typeof fleet.replicas)[number]): Promise<string> => {
      const stream = await client.open(path, leaving.signal)
      stream.on('error', () => undefined)
      let text = ''
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        text += chunk.toString()
        const line = text.split('\n').find((l) => l.includes('"line"'))
        if (line !== undefined) return (JSON.parse(line) as { text: string }).text
      }
      throw new Error(`no line: ${text}`)
    }
    expect(agentOf.rows[0]?.replica).toBeTypeOf('string')
    const lines = await Promise.all(
      fleet.replicas.map((replica) => eventually(20_000, () => firstLine(replica))),
    )
    expect(lines).toEqual(Array.from(lines, () => 'tick ***REDACTED***'))
    leaving.abort()
    // Nobody else may use what the replicas say to each other.
    for (const { client } of fleet.replicas)
      expect((await client.call('POST', '/peer/v1/logs/ask', {})).status).toBe(401)
  })

  it(
    'go on when the leader is killed, paused, or cut off',
    async () => {
      for (let round = 0; round < rounds; round++) console.log(await chaos.round(round))
      console.log(chaos.summary())
      expect(chaos.slowest()).toBeLessThan(5_000)
      await expectNothingLost()
    },
    60_000 + rounds * 120_000,
  )

  it('are restarted in turns without the loss of a write, an event, or a container', async () => {
    await fleet.converged(chaos.tokens, 60_000)
    const before = await containersOf(fleet.stacks)
    const told = watcher.notReady.length
    const writes = load.acknowledged.reduce((a, b) => a + b)
    const said = fleet.agents.map((agent) => agent.output().length)
    let longestStop = 0
    for (const { index, program } of fleet.replicas) {
      const stopping = performance.now()
      await program.kill('SIGTERM')
      longestStop = Math.max(longestStop, performance.now() - stopping)
      expect(program.child.exitCode).toBe(0)
      await fleet.startReplica(index)
      await sleep(500)
    }
    await expectNothingLost()
    const { rows } = await fleet.database.query<{ here: boolean }>(
      `SELECT c.replica IN (SELECT id FROM replicas WHERE seen_at > now() - interval '15 s') AS here
       FROM agent_connections c`,
    )
    expect(rows.filter((row) => row.here)).toHaveLength(fleet.agents.length)
    expect(watcher.notReady.slice(told)).toEqual([])
    // Every stream was ended by its replica with the time to come back, and none was cut.
    const ends = fleet.agents.map((agent, i) => endsOf(agent.output().slice(said[i])))
    expect(ends.flat().filter((end) => end === 'ended').length).toBeGreaterThanOrEqual(
      fleet.agents.length,
    )
    expect(ends.flat()).not.toContain('cut')
    // What a pod of the chart has after its preStop.
    expect(longestStop).toBeLessThan(30_000)
    expect(await containersOf(fleet.stacks)).toEqual(before)
    const done = load.acknowledged.reduce((a, b) => a + b) - writes
    console.log(
      `restarted 3 of 3 over ${done} writes, the slowest stop ${longestStop.toFixed(0)} ms; ${load.summary()}; ${watcher.reconnects} watches renewed`,
    )
    await chaos.change('after the restarts')
    await fleet.converged(chaos.tokens, 60_000)
  })

  it.each([
    { how: 'crashes', lastsMs: outageMs(3) },
    { how: 'does not answer', lastsMs: outageMs(7) },
  ])(
    'live through a database that $how for a while',
    async ({ how, lastsMs }) => {
      await fleet.converged(chaos.tokens, 60_000)
      const before = await containersOf(fleet.stacks)
      const programs = fleet.replicas.map((r) => r.program)
      if (how === 'crashes') await fleet.postgres.stop('SIGQUIT')
      else for (const { index } of fleet.replicas) fleet.network.cut(index, 'database')
      const begun = performance.now()
      const first: number[] = []
      const later: number[] = []
      const readiness: number[] = []
      /** Of requests that need no database: what the machine itself takes now. */
      const alive: number[] = []
      const ask = async ({ client }: Replica): Promise<void> => {
        let known = first
        while (performance.now() - begun < lastsMs) {
          for (const [method, path] of [
            ['GET', `${namespaced}/stagelets`],
            ['PATCH', `${namespaced}/projects/fleet`],
          ] as const) {
            const asking = performance.now()
            const body = method === 'PATCH' ? { metadata: {} } : undefined
            const { status, text, headers } = await client.call(method, path, body)
            known.push(performance.now() - asking)
            expect(status, text).toBe(503)
            expect(text).toContain('the database')
            expect(Number(headers['retry-after'])).toBeGreaterThan(0)
            known = later
          }
          const living = performance.now()
          expect((await client.call('GET', '/healthz')).status).toBe(200)
          const asking = performance.now()
          alive.push(asking - living)
          expect((await client.call('GET', '/readyz')).status).toBe(503)
          readiness.push(performance.now() - asking)
          await sleep(300)
        }
      }
      try {
        await Promise.all(fleet.replicas.map(ask))
      } finally {
        // What comes after begins with a whole world, whatever was found here.
        if (how === 'crashes') await fleet.postgres.start()
        else for (const { index } of fleet.replicas) fleet.network.heal(index)
      }
      const back = performance.now()
      // Nobody waits for long, and nobody at all once a replica knows; readiness is never awaited.
      const slow = 5 * Math.max(...alive)
      expect(Math.max(...first)).toBeLessThan(noticedMs + slow)
      expect(Math.max(...later, ...readiness)).toBeLessThan(askedMs + slow)
      await eventually(30_000, () => fleet.client.must('GET', `${namespaced}/stagelets`))
      const answered = since(back)
      expect(await containersOf(fleet.stacks)).toEqual(before)
      await chaos.change(`after the database ${how}`)
      await fleet.converged(chaos.tokens, 90_000)
      console.log(
        `the database ${how} for ${lastsMs / 1_000} s: ${first.length + later.length} requests refused, the slowest after ${Math.max(...first).toFixed(0)} ms, then ${Math.max(...later).toFixed(0)} ms, not ready after ${Math.max(...readiness).toFixed(0)} ms; answers ${answered} ms after its return, a change everywhere after ${since(back)} ms; ${load.summary()}`,
      )
      await expectNothingLost()
      for (const { child } of programs)
        expect([child.exitCode, child.signalCode]).toEqual([null, null])
    },
    300_000 + 2 * outageMs(7),
  )

  it('begin anew in their processes where the database has lost commits', async () => {
    await fleet.converged(chaos.tokens, 60_000)
    await load.pause()
    await watcher.stop()
    const sql = openPg({ databaseUrl: fleet.postgres.url, clock: realClock, log: silentLogger })
    try {
      const setBack = await keepForLater(sql)
      const lost = { metadata: { annotations: { lost: 'yes' } } }
      const project = `${namespaced}/projects/fleet`
      await fleet.client.must('PATCH', project, lost)
      await setBack()
      const anew = ({ program }: Replica): number =>
        program.output().split('stagely controller ready').length - 1
      await eventually(60_000, () => {
        expect(fleet.replicas.map(anew)).toEqual([2, 2, 2])
        return Promise.resolve()
      })
      const { metadata } = await eventually(30_000, () =>
        fleet.client.must<{ metadata: { annotations?: object } }>('GET', project),
      )
      expect(metadata.annotations ?? {}).not.toHaveProperty('lost')
    } finally {
      await sql.close()
    }
    await chaos.change('after the loss')
    await fleet.converged(chaos.tokens, 90_000)
    for (const { program } of fleet.replicas) expect(program.child.exitCode).toBeNull()
  })
})

const since = (begun: number): string => (performance.now() - begun).toFixed(0)
