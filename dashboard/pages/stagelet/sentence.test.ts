import { expect, it } from 'vitest'
import type { Stagelet } from '../../../src/generated/rest-types.ts'
import type { ShownState } from '../../live/states.ts'
import { lastFailed, sentenceOf } from './sentence.ts'

const failed = (service: string, revision: number) => ({ service, revision, message: '' })
const stagelet = (more: Partial<Stagelet>): Stagelet =>
  ({ services: [], quarantine: [], ...more }) as unknown as Stagelet
const rolledBack: ShownState = {
  kind: 'fail',
  word: 'Rolled back',
  why: 'rolling back, because',
  weight: 100,
  since: undefined,
}

it('blames the newest revision that failed, not an earlier one that is in quarantine still', () => {
  const quarantine = [failed('backend', 3), failed('backend', 5), failed('web', 4)]
  const back = stagelet({ quarantine, running_revision: 2 })
  expect(sentenceOf(back, rolledBack)).toBe('r5 broke backend, r2 runs.')
  expect(lastFailed(back, 'backend')?.revision).toBe(5)
  expect(lastFailed(back, 'web')?.revision).toBe(4)
  expect(lastFailed(back, 'job')).toBeUndefined()
})

it('names no running revision while the way back is not done', () => {
  const back = stagelet({ quarantine: [failed('backend', 3)] })
  expect(sentenceOf(back, rolledBack)).toBe('rolling back, because.')
})
