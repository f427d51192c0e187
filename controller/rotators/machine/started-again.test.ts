import { expect, it } from 'vitest'
import { idleFacts } from '../../../test/support/rotation-facts.ts'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import type { RotationSpec, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { nothingToProve } from '../proof/proof.ts'
import { decideRotation } from './decide.ts'
import type { RotationFacts } from './facts.ts'

const begin = Date.parse('2026-03-02T12:00:00Z')
const spec = {
  projectRef: { name: 'shop' },
  outputs: { password: 'p' },
  rotator: {},
  overlap: '10m',
  away: 'Wait',
} as RotationSpec

it('a machine that tells of another start before each minute is over is named', () => {
  let status: RotationStatus = {
    phase: 'Proving',
    attempt: 2,
    hasOld: true,
    step: 'Switch',
    illBefore: [],
    phaseSince: toTimestamp(begin),
    provingSince: toTimestamp(begin),
  }
  const look = (seconds: number, start: string): unknown => {
    const starts = { other: 'same', liar: start }
    const proof = { ...nothingToProve, starts, runs: JSON.stringify(starts) }
    const nowMs = begin + seconds * 1000
    const facts: RotationFacts = { ...idleFacts(nowMs, begin), proof }
    const next = decideRotation(spec, status, facts)
    if (next.do === 'effect') return next.effect
    status = next.status
    return next.do === 'move'
      ? status.phase
      : status.blockedBy?.map(({ stagelet, reason }) => `${stagelet}: ${reason}`)
  }
  for (let seconds = 0; seconds < 600; seconds += 50)
    expect(look(seconds, `start ${seconds}`)).toBeUndefined()
  expect(look(610, 'start at 610')).toEqual(['liar: StartedAgain'])
  expect(look(640, 'start at 610')).toEqual(['liar: StartedAgain'])
  expect(look(650, 'start at 650')).toEqual(['liar: StartedAgain'])
  expect(look(711, 'start at 650')).toBe('Overlapping')
})
