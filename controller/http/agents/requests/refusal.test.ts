import { expect, it } from 'vitest'
import { reportEnvelope } from '../../../../src/protocol/messages.ts'
import { decodeBody } from './refusal.ts'

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
const bodyWith = (field: string, levels: number): string =>
  `{"boot":"b","seq":1,"observations":[{"${field}":${nested(levels)}}]}`

it.each(['quarantine', 'drift', 'unknown'])('refuses %s of lists within lists, unread', (field) => {
  expect(() => decodeBody(bodyWith(field, 100_000), reportEnvelope)).toThrow(
    'the body is nested deeper than 200 levels',
  )
})

it('takes what a newer agent may send', () => {
  expect(decodeBody(bodyWith('unknown', 20), reportEnvelope)).toMatchObject({ seq: 1 })
})
