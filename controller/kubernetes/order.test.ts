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
  expect(isLate('MODIFIED', object('a', '99'), held)).toBe(true)
  expect(isLate('MODIFIED', object('a', '100'), held)).toBe(false)
  expect(isLate('DELETED', object('a', '100'), held)).toBe(false)
  expect(isLate('MODIFIED', object('b', '1000'), held)).toBe(false)
  expect(isLate('ADDED', object('a', '7'), undefined)).toBe(false)
})

test('the end of an object that another has followed under its name is late', () => {
  expect(isLate('DELETED', object('a', '101'), object('b', '100'))).toBe(true)
})

test('versions that are no numbers have no order', () => {
  expect(isLate('MODIFIED', object('a', 'x1'), object('a', 'x2'))).toBe(false)
  expect(newerVersion('x2', 'x1')).toBe('x1')
  expect(newerVersion('20', '9')).toBe('20')
})
