import { expect, test } from 'vitest'
import { silentLogger } from '../../src/kernel/log.ts'
import type { ReportRequest, ReportedStagelet } from '../../src/protocol/messages.ts'
import { createFakeClock, type FakeClock } from '../../test/support/fake-clock.ts'
import { RefusedByController } from './controller-client.ts'
import { createReporter, type Reporter } from './report.ts'

const anObservation = (tweak: Partial<ReportedStagelet> = {}): ReportedStagelet => ({
  stageletUid: 's1',
  generation: 1,
  epoch: 1,
  revision: 1,
  phase: 'Settled',
  services: [{ name: 'web', digests: ['d'], containers: 1, state: 'running', restarts: 0 }],
  passed: { web: 'd' },
  pendingEdits: [],
  missingVariables: [],
  ...tweak,
})
const restarted = (restarts: number): ReportedStagelet =>
  anObservation({
    services: [{ name: 'web', digests: ['d'], containers: 1, state: 'running', restarts }],
  })

const aReporter = (): {
  reporter: Reporter
  clock: FakeClock
  sent: ReportRequest[]
  answers: (Error | { refused: string[] })[]
} => {
  const clock = createFakeClock()
  const sent: ReportRequest[] = []
  const answers: (Error | { refused: string[] })[] = []
  const reporter = createReporter({
    client: {
      post: ({ body }) => {
        sent.push(body as ReportRequest)
        const answer = answers.shift() ?? { refused: [] }
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
      },
    },
    boot: 'boot-1',
    clock,
    random: () => 0.5,
    log: silentLogger,
  })
  return { reporter, clock, sent, answers }
}
const restartsOf = (r: ReportRequest | undefined): number | undefined =>
  r?.observations[0]?.services[0]?.restarts

test('a new condition goes at once, trifles at most every 10 s, the same never again', async () => {
  const { reporter, clock, sent } = aReporter()
  reporter.connected()
  reporter.changed(anObservation())
  await clock.advance(10)
  expect(sent).toHaveLength(1)
  for (let i = 1; i <= 5; i++) {
    reporter.changed(restarted(i))
    await clock.advance(1_000)
  }
  await clock.advance(9_000)
  expect(sent).toHaveLength(1)
  // 10 s and, after connecting, a random share of 10 s more.
  await clock.advance(1_100)
  expect(sent).toHaveLength(2)
  expect(restartsOf(sent[1])).toBe(5)
  reporter.changed(restarted(6))
  clock.jump(-3_600_000)
  await clock.advance(9_800)
  expect(sent).toHaveLength(2)
  await clock.advance(200)
  expect(sent).toHaveLength(3)
  reporter.changed(anObservation({ phase: 'Failed' }))
  await clock.advance(10)
  expect(sent).toHaveLength(4)
  reporter.changed(anObservation({ phase: 'Failed' }))
  await clock.advance(60_000)
  expect(sent).toHaveLength(4)
})

test('a lost report is repeated with the newest state and a new number', async () => {
  const { reporter, clock, sent, answers } = aReporter()
  answers.push(
    new Error('connection reset'),
    new RefusedByController(503, { reason: 'x', message: 'x' }, 4_000),
  )
  reporter.connected()
  reporter.changed(anObservation({ phase: 'Applying' }))
  await clock.advance(10)
  reporter.changed(anObservation())
  await clock.advance(700)
  expect(sent).toHaveLength(2)
  await clock.advance(4_300)
  expect(sent).toHaveLength(2)
  await clock.advance(200)
  expect(sent.map((r) => [r.seq, r.observations[0]?.phase])).toEqual([
    [0, 'Applying'],
    [1, 'Settled'],
    [2, 'Settled'],
  ])
  await clock.advance(60_000)
  expect(sent).toHaveLength(3)
})

test('without a stream nothing is sent; after it is back everything is', async () => {
  const { reporter, clock, sent } = aReporter()
  reporter.changed(anObservation())
  reporter.changed(anObservation({ stageletUid: 's2' }))
  await clock.advance(30_000)
  expect(sent).toHaveLength(0)
  reporter.connected()
  await clock.advance(10)
  expect(sent.map((r) => r.observations.length)).toEqual([2])
  reporter.lost()
  reporter.forget('s2')
  reporter.connected()
  await clock.advance(10)
  expect(sent.at(-1)?.observations.map((o) => o.stageletUid)).toEqual(['s1'])
})

test('what belongs to somebody else is not told again and again', async () => {
  const { reporter, clock, sent, answers } = aReporter()
  answers.push(new RefusedByController(403, { reason: 'Forbidden', message: 'not yours' }))
  reporter.connected()
  reporter.changed(anObservation())
  await clock.advance(120_000)
  expect(sent).toHaveLength(1)
})

test('a report that is refused for the time of the machine ends the stream; another refusal does not', async () => {
  const { reporter, clock, answers } = aReporter()
  let ended = 0
  reporter.onClockRefused(() => (ended += 1))
  reporter.connected()
  answers.push(new RefusedByController(503, { reason: 'ServiceUnavailable', message: 'later' }))
  answers.push(new RefusedByController(400, { reason: 'ClockSkew', message: 'the clocks differ' }))
  reporter.changed(anObservation())
  await clock.advance(10)
  expect(ended).toBe(0)
  await clock.advance(5_000)
  expect(ended).toBe(1)
})

test('what is over the bounds of a report is cut before it is sent', async () => {
  const { reporter, clock, sent } = aReporter()
  reporter.connected()
  const [service] = anObservation().services
  const services = Array.from({ length: 1_200 }, (_, i) => ({ ...service!, name: `s${i}` }))
  reporter.changed(anObservation({ services }))
  await clock.advance(10)
  expect(sent[0]?.observations[0]).toMatchObject({
    cut: [{ field: 'services', had: 1_200, kept: 1_000 }],
  })
})

test('large reports go in several requests', async () => {
  const { reporter, clock, sent } = aReporter()
  reporter.connected()
  const [service] = anObservation().services
  const services = Array.from({ length: 55 }, (_, i) => ({
    ...service!,
    name: `s${i}`,
    detail: 'x'.repeat(16_000),
  }))
  for (let i = 0; i < 5; i += 1) reporter.changed(anObservation({ stageletUid: `s${i}`, services }))
  await clock.advance(10)
  expect(sent.map(({ observations }) => observations.length)).toEqual([2, 2, 1])
})
