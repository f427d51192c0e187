import { expect, it } from 'vitest'
import { noticeReasons } from '../../../src/kinds/notifier/schema.ts'
import { notifierState, reasonWords } from './data.ts'

it('has words for all that can be sent', () => {
  expect(Object.keys(reasonWords).sort()).toEqual([...noticeReasons].sort())
})

it('says in which state it is, as measured at the last attempt', () => {
  const of = (status: 'True' | 'False', reason: string) =>
    notifierState({
      conditions: [{ type: 'Delivering', status, reason, message: 'why', since: '' }],
    })
  expect(notifierState({ conditions: [] })).toMatchObject({ kind: 'wait' })
  expect(of('True', 'Delivered')).toMatchObject({ kind: 'ok', why: '' })
  expect(of('False', 'Retrying')).toMatchObject({ kind: 'fail', word: 'Failing, retrying' })
  expect(of('False', 'GaveUp')).toMatchObject({ word: 'Gave up', why: 'why' })
})
