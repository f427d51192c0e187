import { expect, it } from 'vitest'
import type { Condition, Store } from '../../../src/generated/rest-types.ts'
import { nextSyncOf } from '../../../src/kinds/secret-store/next-sync.ts'
import { callsText, areDeletionsHeld, storeState, providerText } from './data.ts'

const condition = (type: string, status: Condition['status'], message = type): Condition => ({
  type,
  status,
  message,
  reason: 'R',
  since: '',
})
const fresh = [condition('Ready', 'True'), condition('Fresh', 'True')]
const store: Store = {
  id: 'st_1',
  name: 'prod',
  team: 'default',
  secrets: 3,
  source: 'api',
  created_at: '',
  provider: 'aws',
  aws: { region: 'eu-central-1' },
  conditions: fresh,
}

it('says the worst first, with all that is wrong', () => {
  const of = (...more: Condition[]) =>
    storeState({
      conditions: [
        ...fresh.filter(({ type }) => more.every((condition) => condition.type !== type)),
        ...more,
      ],
    })
  expect(of()).toEqual({ kind: 'ok', word: 'Fresh', faults: [] })
  expect(of(condition('Throttled', 'True'))).toMatchObject({ kind: 'wait', word: 'Throttled' })
  expect(of(condition('Listening', 'False', 'AWS has no such queue'))).toEqual({
    kind: 'wait',
    word: 'Polling only',
    faults: ['AWS has no such queue'],
  })
  expect(of(condition('Fresh', 'False'))).toMatchObject({ word: 'Stale' })
  expect(of(condition('Ready', 'False'), condition('Fresh', 'False'))).toEqual({
    kind: 'fail',
    word: 'Not ready',
    faults: ['Ready', 'Fresh'],
  })
  expect(of(condition('Braked', 'True', 'much is missing'))).toMatchObject({
    word: 'Deletions held',
    faults: ['much is missing'],
  })
  expect(storeState({ conditions: [] })).toMatchObject({ kind: 'unknown' })
  expect([
    areDeletionsHeld(store),
    areDeletionsHeld({ conditions: [condition('Braked', 'True')] }),
  ]).toEqual([...[false, true]])
})

it('says what it is and where, and how much it is asked', () => {
  expect(providerText(store)).toBe('AWS Secrets Manager, eu-central-1')
  expect(callsText({ ...store, calls_per_minute: 12, refresh: { max_calls_per_minute: 30 } })).toBe(
    '12 of 30',
  )
  expect(callsText(store)).toBe('0 of 60')
})

it('says when the next look is, and nothing where that moment of the last write is past', () => {
  const next_look_at = '2026-11-28T12:05:00Z'
  const at = (moment: string) => nextSyncOf({ next_look_at }, Date.parse(moment))
  expect(at('2026-11-28T12:04:00Z')).toBe(next_look_at)
  expect(at('2026-11-28T12:06:00Z')).toBeUndefined()
  expect(nextSyncOf({}, 0)).toBeUndefined()
})
