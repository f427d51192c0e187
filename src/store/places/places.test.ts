import { expect, it } from 'vitest'
import { secretOf } from '../../../test/support/databases/store-fixtures.ts'
import type { KubeObject } from '../../resources/meta.ts'
import { sees } from './places.ts'

it('shows what happened to an object, and nothing of a former one of the same name', () => {
  const narrowing = { projects: ['shop'], environments: ['preview'] }
  const made = secretOf('default', 'db', { environments: ['preview'] })
  const secret = { ...made, metadata: { ...made.metadata, uid: 'now' } }
  const isSeen = (uid?: string): boolean => {
    const event: KubeObject = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'db.1', namespace: 'default' },
      spec: { involvedObject: { kind: 'StagelySecret', name: 'db', uid } },
    }
    return sees(narrowing, event, () => secret)
  }
  expect(isSeen('now')).toBe(true)
  expect(isSeen('former')).toBe(false)
  expect(isSeen()).toBe(false)
})
