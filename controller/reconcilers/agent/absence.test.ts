import { describe, expect, it } from 'vitest'
import type { Condition } from '../../../src/resources/conditions.ts'
import { absenceOf } from './end-agents.ts'

const lastTransitionTime = '2026-01-01T12:00:00Z'
const condition = (type: string, status: Condition['status'], reason: string): Condition => ({
  type,
  status,
  reason,
  message: '',
  lastTransitionTime,
})

describe('the absence of an ephemeral agent', () => {
  const disconnected = condition('Ready', 'Unknown', 'Disconnected')
  it.each([
    ['is told where its stream is gone', [disconnected], lastTransitionTime],
    ['is none while it is connected', [condition('Ready', 'True', 'Connected')], undefined],
    [
      'is none while it is refused for its clock: it was heard',
      [disconnected, condition('Refused', 'True', 'ClockSkew')],
      undefined,
    ],
    [
      'is none while it is refused for its protocol: it was heard',
      [disconnected, condition('Refused', 'True', 'Protocol')],
      undefined,
    ],
    [
      'is told again once the refusal is over',
      [disconnected, condition('Refused', 'False', 'Accepted')],
      lastTransitionTime,
    ],
  ])('%s', (_, conditions, since) => {
    const metadata = { name: 'ci-7', namespace: 'default' }
    const spec = { ephemeral: { goneAfter: '10m' } }
    expect(absenceOf({ metadata, spec, status: { conditions } })).toBe(since)
  })
})
