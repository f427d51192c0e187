import { describe, expect, it } from 'vitest'
import { anInput, anObservation } from '../../../test/support/builders.ts'
import type { StageletInput } from './gather.ts'
import { newestFor } from './turn.ts'

const drained = { spec: { drained: true } } as unknown as NonNullable<StageletInput['agent']>
const judged = (revision: number | undefined): StageletInput => {
  const input = anInput([], { revisions: { epoch: 1, closed: 6, closesAt: undefined, quietAt: 0 } })
  const status = { ...input.stagelet.status, wantedRevision: revision }
  return { ...input, stagelet: { ...input.stagelet, status } }
}

describe('the newest revision that a stagelet may have', () => {
  it('is the newest closed one where nothing holds it back', () => {
    expect(newestFor(judged(5))).toBe(6)
  })

  it('is what it was told last, where its agent is drained or turns are taken', () => {
    expect(newestFor({ ...judged(5), agent: drained })).toBe(5)
    expect(newestFor({ ...judged(5), takesTurns: true })).toBe(5)
    expect(newestFor({ ...judged(undefined), takesTurns: true })).toBe(undefined)
  })

  it('is what its agent has already, told of it before this was judged', () => {
    const ahead = { ...judged(5), observation: anObservation({ revision: 6, epoch: 1 }) }
    expect(newestFor({ ...ahead, agent: drained })).toBe(6)
    expect(newestFor({ ...ahead, takesTurns: true })).toBe(6)
    const before = anObservation({ revision: 6, epoch: 0 })
    expect(newestFor({ ...ahead, agent: drained, observation: before })).toBe(5)
  })
})
