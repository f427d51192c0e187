import { expect, it } from 'vitest'
import { createAskedLogs } from './asked.ts'

it('each batch of logs was asked for once, however often it comes', () => {
  const wasAsked = createAskedLogs()
  const of = (session: string, seq: number, state = 'taken') =>
    wasAsked({ session, seq, records: [] }, state)
  expect(of('a', 0, 'full')).toBe(true)
  expect([of('a', 0), of('a', 0), of('a', 1), of('a', 0), of('a', 1)]).toEqual([
    ...[true, false, true],
    ...[false, false],
  ])
  expect(of('b', 0)).toBe(true)
  expect(of('a', 2, 'ended')).toBe(false)
})
