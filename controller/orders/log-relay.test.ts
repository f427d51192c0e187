import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import type { LogLine, LogsOrder } from '../../src/protocol/logs.ts'
import { createLogRelay, type LogRelay } from './log-relay.ts'

const agentKey = 'default/web-1'
const wish = { stageletUid: 'uid', follow: true }
const line = (text: string): LogLine => ({
  type: 'line',
  service: 'web',
  container: 'web-1',
  stream: 'stdout',
  time: '',
  text,
})

const startRelay = () => {
  const clock = createFakeClock()
  const orders: LogsOrder[] = []
  const relay = createLogRelay({
    clock,
    ask: (key, order) => {
      if (key === agentKey) orders.push(order)
      return key === agentKey ? 'asked' : 'away'
    },
  })
  return { clock, orders, relay }
}

const openOne = async ({ relay, orders }: ReturnType<typeof startRelay>, signal?: AbortSignal) => {
  const opening = relay.open({ agentKey, wish }, signal ?? new AbortController().signal)
  const { session } = orders.at(-1)!
  await relay.accept(agentKey, { session, seq: 0, records: [] })
  return { session, stream: await opening }
}

const readText = async (stream: ReadableStream<Uint8Array>): Promise<string> =>
  await new Response(stream).text()

const stateOf = (relay: LogRelay, session: string, seq: number, text = '') =>
  relay.accept(agentKey, { session, seq, records: [line(text)] })

describe('the relay of logs', () => {
  it('hands on what the agent sends, once, and ends when the agent says so', async () => {
    const world = startRelay()
    const { session, stream } = await openOne(world)
    const { relay } = world
    expect(await stateOf(relay, session, 1, 'a')).toBe('taken')
    expect(await stateOf(relay, session, 1, 'a')).toBe('taken')
    await relay.accept(agentKey, { session, seq: 2, records: [{ type: 'end' }] })
    expect(await stateOf(relay, session, 3)).toBe('ended')
    expect(await readText(stream)).toBe(`\n${JSON.stringify(line('a'))}\n{"type":"end"}\n`)
  })

  it('takes nothing from another agent, and nothing for a session that it does not know', async () => {
    const world = startRelay()
    const { session } = await openOne(world)
    const batch = { session, seq: 1, records: [line('forged')] }
    await expect(world.relay.accept('default/other', batch)).rejects.toThrow('nobody reads')
    await expect(stateOf(world.relay, 'none', 0)).rejects.toThrow('nobody reads')
  })

  it('makes the agent wait for a slow reader, and nobody else', async () => {
    const world = startRelay()
    const slow = await openOne(world)
    const quick = await openOne(world)
    await stateOf(world.relay, slow.session, 1, 'x'.repeat(300_000))
    const waiting = stateOf(world.relay, slow.session, 2, 'late')
    expect(await stateOf(world.relay, quick.session, 1, 'b')).toBe('taken')
    await world.clock.advance(10_000)
    expect(await waiting).toBe('full')
    const reader = slow.stream.getReader()
    await reader.read()
    await reader.read()
    expect(await stateOf(world.relay, slow.session, 2, 'late')).toBe('taken')
  })

  it('ends with its reader', async () => {
    const world = startRelay()
    const leaving = new AbortController()
    const { session } = await openOne(world, leaving.signal)
    leaving.abort()
    expect(await stateOf(world.relay, session, 1)).toBe('ended')
  })

  it('says why there is no answer', async () => {
    const world = startRelay()
    const { signal } = new AbortController()
    await expect(world.relay.open({ agentKey: 'default/gone', wish }, signal)).rejects.toThrow(
      'agent "default/gone" has no connection to a controller',
    )
    const opening = world.relay.open({ agentKey, wish }, signal)
    const refused = expect(opening).rejects.toThrow('did not answer within 10 s')
    await world.clock.advance(10_000)
    await refused
  })

  it('tells the reader when the agent falls silent', async () => {
    const world = startRelay()
    const { stream } = await openOne(world)
    await world.clock.advance(61_000)
    expect(await readText(stream)).toContain('"error":"the agent no longer answers"')
  })

  it('has a limit for each agent', async () => {
    const world = startRelay()
    for (let i = 0; i < 8; i++) await openOne(world)
    await expect(
      world.relay.open({ agentKey, wish }, new AbortController().signal),
    ).rejects.toThrow('8 readers follow logs of this agent')
  })
})
