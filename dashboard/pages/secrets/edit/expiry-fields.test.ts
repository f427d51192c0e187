import { expect, it } from 'vitest'
import { expiryFields, expiryBody, expiryText } from './expiry-fields.ts'

it('is the same form and back, and is in words', () => {
  for (const expiry of [
    { after: '90d', warn: ['30d', '1d'], on_expiry: 'Rotate' as const },
    { at: '2027-03-31T00:00:00Z' },
  ])
    expect(expiryBody(expiryFields(expiry))).toEqual(expiry)
  expect(expiryBody(expiryFields(undefined))).toBeUndefined()
  expect(expiryText(undefined)).toBe('none')
  expect(expiryText({ after: '90d', on_expiry: 'Rotate', warn: ['7d'] })).toBe(
    '90d after the value was set, then a new value is generated; warnings 7d before',
  )
  expect(expiryText({ at: '2027-03-31T00:00:00Z' })).toMatch(/^at 2027.*30d, 7d, 1d before$/)
})
