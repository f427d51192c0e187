// Logs of real containers, from the engine to the reader, without a network in between.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogSessions, type LogSessions } from '../../agent/logs/log-sessions.ts'
import { createEventHub } from '../../agent/docker/event-hub.ts'
import { createLogRelay, type LogRelay } from '../../controller/orders/log-relay.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { printedAnswer, type PrintedAnswer } from '../../src/protocol/printed.ts'
import { logBatch, logRecord, type LogLine, type LogRecord } from '../../src/protocol/logs.ts'
import { engine, held, startMachine, type Machine } from '../support/docker/docker.ts'
import { countPrinted } from '../../agent/look/counts.ts'
import { createStack, onHost, testImage, type Stack } from '../support/docker/stack.ts'

const canary = 'canary-in-the-logs-1'
const rotated = 'canary-in-the-logs-2'
/** Says its secret where the engine cuts long lines, counts, and has last words. */
const talking = [
  "trap 'echo last words of $TOKEN; exit 0' TERM",
  'echo first; echo oops >&2',
  'printf \'%016376d%s\\n\' 0 "$TOKEN"',
  'n=0; while :; do n=$((n+1)); echo line $n; sleep 0.1; done',
].join('; ')
const shell = (script: string): string =>
  JSON.stringify(['sh', '-c', script.replaceAll('$', () => '$$')])
const compose = `services:
  talker:
    image: ${testImage}
${onHost('talker')}    command: ${shell(talking)}
  quiet:
    image: ${testImage}
${onHost('quiet')}    tty: true
    command: ${shell('echo from a tty $TOKEN; sleep 300')}
    stop_signal: SIGKILL
`

describe('logs', () => {
  let stack: Stack
  let machine: Machine
  let relay: LogRelay
  let sessions: LogSessions
  const events = createEventHub({ engine, clock: realClock, log: silentLogger })

  const read = async (
    wish: { follow: boolean; services?: string[]; tail?: number },
    isEnough: (records: readonly LogRecord[]) => boolean = () => false,
  ): Promise<LogRecord[]> => {
    const leaving = new AbortController()
    const wanted = { agentKey: 'a/b', wish: { stageletUid: 'uid', ...wish } }
    const stream = await relay.open(wanted, leaving.signal)
    const records: LogRecord[] = []
    let text = ''
    for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString()
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const one of lines.filter(Boolean)) records.push(logRecord.parse(JSON.parse(one)))
      if (isEnough(records)) break
    }
    leaving.abort()
    return records
  }
  const linesOf = (records: readonly LogRecord[]): LogLine[] =>
    records.filter((r): r is LogLine => r.type === 'line')

  beforeAll(async () => {
    stack = await createStack(compose)
    machine = await startMachine(stack)
    relay = createLogRelay({
      clock: realClock,
      ask: (_agent, order) => {
        sessions.start(order)
        return 'asked'
      },
    })
    sessions = createLogSessions({
      engine,
      events,
      clock: realClock,
      log: silentLogger,
      sourceOf: (uid) => (uid === 'uid' ? machine.loop.logSource() : undefined),
      client: {
        post: async ({ body }) => ({ state: await relay.accept('a/b', logBatch.parse(body)) }),
      },
    })
    await machine.roll([held('TOKEN', canary), held('PORT', '8080')])
  })
  afterAll(async () => {
    sessions?.stop()
    relay?.stop()
    events.stop()
    await machine?.stop()
    await stack?.remove()
  })

  it('come in order, with stderr told apart and every secret hidden, and end', async () => {
    const records = await read({ follow: false })
    expect(records.at(-1)).toEqual({ type: 'end' })
    const lines = linesOf(records)
    const said = lines.filter((l) => l.service === 'talker')
    expect(said.find((l) => l.text === 'oops')?.stream).toBe('stderr')
    expect(said.find((l) => l.text === 'first')?.stream).toBe('stdout')
    expect(said.map((l) => l.text)).toContain(`${'0'.repeat(16_376)}***REDACTED***`)
    expect(lines.find((l) => l.service === 'quiet')?.text).toBe('from a tty ***REDACTED***')
    for (const stream of ['stdout', 'stderr']) {
      const times = said.filter((l) => l.stream === stream).map((l) => l.time)
      expect(times).toEqual(times.toSorted())
    }
    // The engine reads the two pipes of a container side by side: it may keep one line before an older one.
    const at = lines.map((l) => Date.parse(l.time))
    for (const [i, time] of at.entries())
      expect(time).toBeGreaterThan(Math.max(...at.slice(0, i), 0) - 50)
    expect(JSON.stringify(records)).not.toContain('canary')
  })

  it('are only the last lines of the services that are asked for', async () => {
    const lines = linesOf(await read({ follow: false, services: ['talker'], tail: 3 }))
    expect(lines).toHaveLength(3)
    expect(new Set(lines.map((l) => l.service))).toEqual(new Set(['talker']))
  })

  const counted = async (tail: number, bounds = {}): Promise<PrintedAnswer> => {
    const order = { type: 'countPrinted' as const, id: randomUUID(), stageletUid: 'uid', tail }
    const sourceOf = () => machine.loop.logSource()
    const deps = { engine, clock: realClock, bounds, sourceOf }
    const { printed } = await countPrinted(deps, order, new AbortController().signal)
    return printedAnswer.parse(printed)
  }

  it('are searched for printed values, of which only counts by key are sent', async () => {
    const printed = await counted(10_000)
    expect(printed).toMatchObject({
      complete: true,
      services: [
        { name: 'quiet', lines: 1, hits: [{ key: 'TOKEN', count: 1 }], unmaskable: ['PORT'] },
        { name: 'talker', hits: [{ key: 'TOKEN', count: 1 }], unmaskable: ['PORT'] },
      ],
    })
    expect(printed.services.every(({ lines }) => lines > 0)).toBe(true)
    const sent = JSON.stringify(printed)
    // No line of a log is in anything that was sent, masked or not.
    for (const text of ['canary', 'first', 'oops', 'from a tty', 'line 1', 'REDACTED'])
      expect(sent).not.toContain(text)
  })

  it('are searched up to a bound, which the answer tells', async () => {
    expect((await counted(10_000, { bytes: 10 })).complete).toBe(false)
    const none = await counted(10_000, { ms: 0 })
    expect([none.complete, none.services.map(({ lines }) => lines)]).toEqual([false, [0, 0]])
    const last = await counted(2)
    expect(last.services.find(({ name }) => name === 'talker')).toMatchObject({
      lines: 2,
      hits: [],
    })
  })

  it('go on over a re-created container without a lost line, also with a new secret', async () => {
    const following = read({ follow: true, services: ['talker'] }, (records) => {
      const lines = linesOf(records)
      const firsts = lines.filter((l) => l.text === 'first').length
      return firsts >= 2 && lines.slice(lines.findLastIndex((l) => l.text === 'first')).length > 6
    })
    await machine.roll([held('TOKEN', rotated)])
    const lines = linesOf(await following)
    const counted = lines
      .filter((l) => /^line \d+$/.test(l.text))
      .map((l) => Number(l.text.slice(5)))
    const second = counted.lastIndexOf(1)
    const before = counted.slice(0, second)
    const after = counted.slice(second)
    expect(before).toEqual(before.map((_, i) => i + 1))
    expect(after).toEqual(after.map((_, i) => i + 1))
    expect(lines.map((l) => l.text)).toContain('last words of ***REDACTED***')
    // While it is made the new one has another name, which no log shows.
    const name = `${stack.project}-talker-1`
    expect(new Set(lines.map((l) => l.container))).toEqual(new Set([name]))
    expect(JSON.stringify(lines)).not.toContain('canary')
  })

  it('go on over a restart of the same container, and show nothing twice', async () => {
    const { id } = (await stack.containers())['talker']!
    const following = read({ follow: true, services: ['talker'] }, (records) => {
      const texts = linesOf(records).map((l) => l.text)
      const again = texts.lastIndexOf('first')
      return again > texts.indexOf('first') && texts.slice(again).includes('line 3')
    })
    await realClock.sleep(500)
    await stack.docker('restart', '-t', '2', id)
    const lines = linesOf(await following)
    const keys = lines.map((l) => `${l.stream} ${l.time} ${l.text}`)
    expect(new Set(keys).size).toBe(keys.length)
    expect(lines.filter((l) => l.text === 'last words of ***REDACTED***')).toHaveLength(1)
  })
})
