import { expect, test } from 'vitest'
import type { KubeObject } from '../../src/resources/meta.ts'
import { createClusterObjects } from './mirror.ts'

const project = (name: string, namespace = 'default'): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Project',
  metadata: { name, namespace, uid: name, resourceVersion: '1' },
})

test('what was removed is known as ended until its kind is listed again', () => {
  const mirror = createClusterObjects()
  for (const object of [project('a'), project('b', 'other')]) {
    mirror.put(object)
    mirror.remove(object)
  }
  expect(mirror.get('Project/default/a')).toBeUndefined()
  expect(mirror.ended('Project/default/a')?.uid).toBe('a')
  mirror.replace('Stagelet', undefined, [])
  mirror.replace('Project', 'other', [])
  expect(mirror.ended('Project/default/a')).toBeDefined()
  expect(mirror.ended('Project/other/b')).toBeUndefined()
  mirror.replace('Project', undefined, [])
  expect(mirror.ended('Project/default/a')).toBeUndefined()
})

test('of what has ended the newest thousand are remembered', () => {
  const mirror = createClusterObjects()
  for (let i = 0; i <= 1000; i++) mirror.remove(project(`p${i}`))
  expect(mirror.ended('Project/default/p0')).toBeUndefined()
  expect(mirror.ended('Project/default/p1')).toBeDefined()
})
