import { expect, it } from 'vitest'
import { findCondition } from '../../../src/resources/conditions.ts'
import type { RotationSpec, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { withVerdicts, type Around } from './status-conditions.ts'

const now = '2026-03-02T12:00:00Z'
const around: Around = {
  nowMs: Date.parse(now),
  createdMs: 0,
  faults: [],
  busy: undefined,
}

const messageOf = (type: string, status: RotationStatus, more: Partial<Around> = {}): string => {
  const at = { name: 'db', generation: 1, now }
  const spec = { projectRef: { name: 'shop' }, outputs: {}, rotator: {} } as unknown as RotationSpec
  const { conditions } = withVerdicts(spec, status, { ...around, ...more }, at)
  return findCondition(conditions, type)?.message ?? ''
}

it('says why a step is tried again, and when', () => {
  const retryAt = '2026-03-02T12:04:00Z'
  const status = { phase: 'Setting' as const, attempt: 3, retryAt, retryFor: 'no route to host' }
  expect(messageOf('Progressing', status)).toBe(
    `attempt 3: the new credential is made; tried again at ${retryAt}, since no route to host`,
  )
})

it('says how an owner ends an old credential that cannot be proven to be unused, while there is one', () => {
  const blockedBy = [{ stagelet: 'one', reason: 'AgentAway', message: 'its agent is away' }]
  const wayOut = /^one: its agent is away; .*whatever runs: stagely rotation revoke db$/
  expect(messageOf('Blocked', { phase: 'Proving', blockedBy })).toMatch(wayOut)
  expect(messageOf('Blocked', { phase: 'Proving', step: 'Back', blockedBy })).toBe(
    'one: its agent is away',
  )
})

it('names who must end first, also to who asked for a start', () => {
  const busy = { message: 'rotation "other" must end first', isBlocked: false }
  const request = { at: now, by: 'alice', cause: 'Run' as const }
  expect(messageOf('Progressing', { request }, { busy })).toBe(busy.message)
  expect(messageOf('Progressing', { nextAt: '2026-03-09T12:00:00Z' }, { busy })).toMatch(
    /starts at/,
  )
  const faults = ['output password: there is no such secret']
  expect(messageOf('Progressing', { request }, { faults })).toMatch(/begins once Ready is True/)
  const back = messageOf('Progressing', { request, phase: 'Proving', step: 'Back' })
  expect(back).toMatch(/run the old credential again; another one begins after it, as alice/)
})

it('does not say that there is no credential while the first one is rolled out', () => {
  const none = 'no credential was made yet: see Progressing and Failed'
  expect(messageOf('Ready', {})).toBe(none)
  expect(messageOf('Ready', { phase: 'Setting', cause: 'First' })).toBe(none)
  expect(messageOf('Ready', { phase: 'Proving', cause: 'First' })).toBe(
    'the first rotation has not ended yet: see Progressing and Failed',
  )
})
