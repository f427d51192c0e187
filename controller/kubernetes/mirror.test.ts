import { expect, test } from 'vitest'
import { keyOf, refOf, type KubeObject } from '../../src/resources/meta.ts'
import { createClusterObjects, newerVersion, type ClusterObjects } from './mirror.ts'

const object = (uid: string, resourceVersion: string, namespace = 'default'): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Project',
  metadata: { name: 'shop', namespace, uid, resourceVersion },
})
/** Holds the object; `ended` was deleted before. */
const holding = (held?: KubeObject, ended?: KubeObject): ClusterObjects => {
  const mirror = createClusterObjects()
  if (ended !== undefined) mirror.change('DELETED', ended)
  if (held !== undefined) mirror.put(held)
  return mirror
}

test('an older state is late, the same one and a newer one are not', () => {
  const held = object('a', '100')
  expect(holding(held).change('MODIFIED', object('a', '99'))).toBe(false)
  expect(holding(held).change('MODIFIED', object('a', '100'))).toBe(true)
  expect(holding(held).change('DELETED', object('a', '100'))).toBe(true)
  expect(holding(held).change('MODIFIED', object('b', '1000'))).toBe(true)
  expect(holding().change('ADDED', object('a', '7'))).toBe(true)
})

test('the end of an object that another has followed under its name is late', () => {
  const mirror = holding(object('b', '100'))
  expect(mirror.change('DELETED', object('a', '101'))).toBe(false)
  expect(mirror.get(keyOf(refOf(object('b', '100'))))?.metadata.uid).toBe('b')
})

test('what has ended does not come back until its kind is listed, but another of its name does', () => {
  const after = (): ClusterObjects => holding(undefined, object('a', '100'))
  expect(after().change('MODIFIED', object('a', '99'))).toBe(false)
  expect(after().change('MODIFIED', object('a', 'x'))).toBe(false)
  expect(after().change('ADDED', object('older', '98'))).toBe(false)
  expect(after().change('ADDED', object('b', '101'))).toBe(true)
  // Without versions that count up, the identity alone says it.
  const unordered = holding(object('b', 'x3'), object('a', 'x2'))
  expect(unordered.change('MODIFIED', object('a', 'x1'))).toBe(false)
  const mirror = after()
  mirror.replace('Stagelet', undefined, [])
  mirror.replace('Project', 'other', [])
  expect(mirror.change('MODIFIED', object('a', '100'))).toBe(false)
  mirror.replace('Project', undefined, [])
  expect(mirror.change('MODIFIED', object('a', '100'))).toBe(true)
})

test('of what has ended the newest thousand are remembered', () => {
  const mirror = createClusterObjects()
  for (let i = 0; i <= 1000; i++) mirror.change('DELETED', object(`p${i}`, '1', `n${i}`))
  expect(mirror.change('MODIFIED', object('p1', '1', 'n1'))).toBe(false)
  expect(mirror.change('MODIFIED', object('p0', '1', 'n0'))).toBe(true)
})

test('versions that are no numbers have no order', () => {
  expect(holding(object('a', 'x2')).change('MODIFIED', object('a', 'x1'))).toBe(true)
  expect(newerVersion('x2', 'x1')).toBe('x1')
  expect(newerVersion('20', '9')).toBe('20')
})
