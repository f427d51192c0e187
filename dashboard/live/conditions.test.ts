import { expect, it } from 'vitest'
import type { Condition } from '../../src/generated/rest-types.ts'
import { isTrouble, conditionKind, conditionWords } from './conditions.ts'

const condition = (type: string, status: Condition['status']): Condition => ({
  type,
  status,
  reason: 'Any',
  message: 'why',
  since: '2026-03-02T14:00:00Z',
})

it('knows what a person should read, also of a type that it does not know', () => {
  const all = [
    condition('Accepted', 'False'),
    condition('Accepted', 'True'),
    condition('Ready', 'Unknown'),
    condition('Drifted', 'True'),
    condition('Drifted', 'False'),
    condition('Progressing', 'True'),
    condition('ProjectNameChanged', 'True'),
    condition('ProjectNameChanged', 'False'),
  ]
  expect(
    all.filter(isTrouble).map((condition) => [conditionKind(condition), conditionWords(condition)]),
  ).toEqual([
    ['fail', 'Not accepted'],
    ['drift', 'Drifted'],
    ['warn', 'Project name changed'],
  ])
})
