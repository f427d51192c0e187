import { expect, test } from 'vitest'
import type { KubeObject } from '../../src/resources/meta.ts'
import { isLate, newerVersion } from './order.ts'

const object = (uid: string, resourceVersion: string): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Project',
  metadata: { name: 'shop', namespace: 'default', uid, resourceVersion },
})

test('an older state is late, the same one and a newer one are not', () => {
  const held = object('a', '100')
  expect(isLate('MODIFIED', object('a', '99'), held, undefined)).toBe(true)
  expect(isLate('MODIFIED', object('a', '100'), held, undefined)).toBe(false)
  expect(isLate('DELETED', object('a', '100'), held, undefined)).toBe(false)
  expect(isLate('MODIFIED', object('b', '1000'), held, undefined)).toBe(false)
  expect(isLate('ADDED', object('a', '7'), undefined, undefined)).toBe(false)
})

test('the end of an object that another has followed under its name is late', () => {
  expect(isLate('DELETED', object('a', '101'), object('b', '100'), undefined)).toBe(true)
})

test('what has ended does not come back, but another of its name does', () => {
  const ended = object('a', '100').metadata
  expect(isLate('MODIFIED', object('a', '99'), undefined, ended)).toBe(true)
  expect(isLate('MODIFIED', object('a', 'x'), undefined, ended)).toBe(true)
  expect(isLate('ADDED', object('older', '98'), undefined, ended)).toBe(true)
  expect(isLate('ADDED', object('b', '101'), undefined, ended)).toBe(false)
  // Without versions that count up, the identity alone says it.
  expect(isLate('MODIFIED', object('a', 'x1'), object('b', 'x3'), object('a', 'x2').metadata)).toBe(
    true,
  )
})

test('versions that are no numbers have no order', () => {
  expect(isLate('MODIFIED', object('a', 'x1'), object('a', 'x2'), undefined)).toBe(false)
  expect(newerVersion('x2', 'x1')).toBe('x1')
  expect(newerVersion('20', '9')).toBe('20')
})
