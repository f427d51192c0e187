import { expect, it } from 'vitest'
import { noticeReasons } from '../../../src/resources/kinds/notifier.ts'
import { bodyOf, fieldsOf, reasons, specOf, notifierState } from './data.ts'

it('has words for all that can be sent', () => {
  expect(reasons.toSorted()).toEqual([...noticeReasons].sort())
})

it('makes of the form what REST and manifests take, without what is not given', () => {
  const fields = {
    ...fieldsOf(undefined),
    ...{ url: ' https://hooks.example.com/s ', signingKey: 'hook-key', projects: ['shop'] },
    reasons: ['Drifted', 'Expired'] as const,
  }
  expect(bodyOf(fields)).toEqual({
    ...{ projects: ['shop'], reasons: ['Expired', 'Drifted'] },
    webhook: { url: 'https://hooks.example.com/s', signing_key: 'hook-key' },
  })
  expect(specOf(bodyOf(fields))).toMatchObject({
    webhook: { url: 'https://hooks.example.com/s', signingKeyRef: { name: 'hook-key' } },
  })
  const mail = bodyOf({ ...fields, channel: 'email', to: 'a@x.org, b@x.org\n' })
  expect(mail).toMatchObject({ email: { to: ['a@x.org', 'b@x.org'] } })
  expect(specOf(bodyOf({ ...fields, channel: 'slack', slackUrl: 'slack-url' }))).toMatchObject({
    slack: { urlRef: { name: 'slack-url' } },
  })
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
