import { expect, test } from 'vitest'
import { reportRequest, streamRequest } from './messages.ts'

const stream = { protocol: '1.1', boot: 'b', version: '1', now: 0, holds: [] }

test('what the database could not store is refused at the door, by field', () => {
  const bad = { ...stream, boot: 'a\0b', version: '\ud800', composeVersion: 'v'.repeat(300) }
  const { error } = streamRequest.safeParse(bad)
  expect(error?.issues.map(({ path }) => path.join('.'))).toEqual([
    'boot',
    'version',
    'composeVersion',
  ])
  expect(streamRequest.safeParse({ ...stream, version: '1 \u{1f600}' }).success).toBe(true)
  expect(reportRequest.safeParse({ boot: '\0', seq: 1, observations: [] }).success).toBe(false)
})
