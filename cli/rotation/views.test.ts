import { expect, it } from 'vitest'
import type { Rotation } from '../../src/rest/types.ts'
import { rotationText } from './views.ts'

const nextOf = (more: Partial<Rotation>): string => {
  const rotation: Rotation = {
    ...{ id: 'r', name: 'db', team: 'default', project: 'shop', outputs: {}, rotator: {} },
    ...{ overlap: '10m', away: 'Wait', paused: false, phase: 'Idle', attempt: 1, versions: {} },
    ...{ blocked_by: [], released: [], evidence: [], source: 'api', created_at: '2026-03-02' },
    ...{ conditions: [], ...more },
  }
  const text = rotationText(rotation).split('\n')
  return (
    text
      .find((line) => line.startsWith('Next:'))
      ?.slice('Next:'.length)
      .trim() ?? ''
  )
}

it('says when the next rotation is, where that is known', () => {
  const schedule = { every: '30d' }
  const nextAt = '2026-03-09T12:00:00Z'
  expect(nextOf({ schedule, next_at: nextAt })).toBe(nextAt)
  expect(nextOf({})).toBe('when somebody asks for it')
  expect(nextOf({ phase: 'Proving' })).toBe('when somebody asks for it')
  expect(nextOf({ schedule, phase: 'Proving' })).toBe('known when this attempt has ended')
})
