import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { findFailureCause, type FailureCause } from './failure-cause.ts'
import { createContainerExits } from './container-exits.ts'
import type { GateReason } from './gate-failure.ts'
import type { ObservedContainer } from './container.ts'

const web = {
  id: 'web-1',
  name: 'p-web-1',
  service: 'web',
  state: 'exited',
  exitCode: 0,
} as ObservedContainer
const event = (Action: string): Parameters<ReturnType<typeof createContainerExits>['note']>[0] => ({
  Action,
  Actor: { ID: web.id, Attributes: {} },
})

const blameFor = async (
  reason: GateReason,
  { before = [], during = [] }: { before?: readonly string[]; during?: readonly string[] },
): Promise<FailureCause> => {
  const clock = createFakeClock()
  const exits = createContainerExits()
  for (const action of before) exits.note(event(action), clock.now())
  const failure = { service: 'web', reason, message: 'the gate says so' }
  const given = { exitOf: exits.exitOf, clock }
  const asked = findFailureCause(failure, [web], given, new AbortController().signal)
  await clock.advance(500)
  for (const action of during) exits.note(event(action), clock.now())
  await clock.advance(5_000)
  return await asked
}

describe('an end that was seen', () => {
  it('of itself is held against what the service was given, also where it is told late', async () => {
    expect(await blameFor('Exited', { before: ['die'] })).toEqual({ isOfValues: true })
    expect(await blameFor('Exited', { during: ['die'] })).toEqual({ isOfValues: true })
  })

  it('by somebody is not, and who did it is said', async () => {
    const stopped = 'service web: container p-web-1 was stopped from outside while it was watched'
    const killed = 'service web: container p-web-1 was killed from outside while it was watched'
    for (const order of ['before', 'during']) {
      expect(await blameFor('Exited', { [order]: ['kill', 'die', 'stop'] })).toEqual({
        isOfValues: false,
        message: order === 'before' ? stopped : (expect.stringMatching(/stopped|killed/) as string),
      })
      expect(await blameFor('Exited', { [order]: ['kill', 'die'] })).toEqual({
        isOfValues: false,
        message: killed,
      })
    }
  })
})

describe('an end that nobody saw', () => {
  it('is held against nothing: an engine that goes down stops what it runs', async () => {
    expect(await blameFor('Exited', {})).toEqual({
      isOfValues: false,
      message:
        'service web: container p-web-1 ended with code 0 while the engine told nothing, as when it goes down; it is started again',
    })
  })
})

describe('a service that is not well', () => {
  it('is held against what it was given, and other failures are not', async () => {
    for (const reason of ['CrashLoop', 'Unhealthy', 'TimedOut'] as const)
      expect(await blameFor(reason, {})).toEqual({ isOfValues: true })
    for (const reason of ['LabelMismatch', 'Missing', 'Paused'] as const)
      expect(await blameFor(reason, {})).toEqual({ isOfValues: false })
  })
})
