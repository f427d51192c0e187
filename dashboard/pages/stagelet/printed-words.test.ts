import { expect, it } from 'vitest'
import type { Printed } from '../../../src/generated/rest-types.ts'
import { badgeOf, findingsOf } from './printed-words.ts'

const web = { name: 'web', lines: 10_000, hits: [], unmaskable: ['PORT'] }
const done: Printed = {
  stagelet: 'shop',
  tail: 10_000,
  lines: 10_000,
  complete: true,
  services: [web],
  counted_at: '2026-01-01T00:00:00Z',
}
const hits = [
  { key: 'STRIPE_SECRET_KEY', count: 37 },
  { key: 'TOKEN', count: 1 },
]

it('a test without a hit says in how many lines, and what cannot be found', () => {
  expect(badgeOf(done)).toEqual({ kind: 'ok', text: '0 hits in 10,000 lines' })
  const texts = findingsOf({ ...done, services: [web, { ...web, name: 'db' }] })
  expect(texts).toEqual([{ kind: 'warn', text: 'PORT: under 8 bytes, cannot be masked' }])
})

it('hits are counted, with the key and the service of each', () => {
  const test = { ...done, services: [{ ...web, hits }] }
  expect(badgeOf(test)).toEqual({ kind: 'fail', text: '38 hits in 10,000 lines' })
  expect(findingsOf(test).map(({ text }) => text)).toEqual([
    'STRIPE_SECRET_KEY was printed 37 times by web',
    'TOKEN was printed once by web',
    'PORT: under 8 bytes, cannot be masked',
  ])
})

it('a test that did not read all never says that all is well', () => {
  const early = { ...done, lines: 1, complete: false }
  expect(badgeOf(early)).toEqual({
    kind: 'warn',
    text: '0 hits in 1 line, not all lines were read',
  })
  const unread = { ...done, services: [{ ...web, fault: 'its log cannot be read: x' }] }
  expect(badgeOf(unread).kind).toBe('warn')
  expect(findingsOf(unread)[0]?.text).toBe('web: its log cannot be read: x')
})
