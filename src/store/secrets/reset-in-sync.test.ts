import { emptyLayout } from '../../secrets/layout.ts'
import { expect, it } from 'vitest'
import type { KubeObject } from '../../resources/meta.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { resetInSync } from './reset-in-sync.ts'
import { objectRow } from '../state/rows.ts'

const inSync = { type: 'SecretsInSync', status: 'True', reason: 'InSync', message: '' }

const rowOf = (index: number): StoredRow => {
  const ref = { kind: 'Stagelet', namespace: 'default', name: `s-${index}` }
  const object: KubeObject = {
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'Stagelet',
    metadata: { name: ref.name },
    status: { conditions: [inSync] },
  }
  return objectRow(ref, { uid: ref.name, rv: 1, source: 'api', text: JSON.stringify(object) })
}

it('lets others have their turn after each stagelet of a large project', async () => {
  const put: KubeObject[] = []
  const pausedAt: number[] = []
  const session = {
    now: '2026-01-01T00:00:00Z',
    pause: () => Promise.resolve(pausedAt.push(put.length)),
    put: (object: KubeObject) => put.push(object),
  } as unknown as WriteSession
  const stagelets = Array.from({ length: 100 }, (_, index) => rowOf(index))
  const entry = {
    secretId: 'x',
    name: 'url',
    version: 2,
    key: 'URL',
    scope: 'global',
    type: 'env' as const,
    bytes: 1,
    valueDigest: '',
  }
  const project = { closed: 1, layout: emptyLayout } as ProjectState
  await resetInSync(session, project, { stagelets, entries: [entry] })
  expect(put.map(({ status }) => status)).toEqual(
    Array.from({ length: 100 }, () => ({
      conditions: [expect.objectContaining({ type: 'SecretsInSync', status: 'False' })],
    })),
  )
  expect(pausedAt).toEqual(Array.from({ length: 100 }, (_, done) => done))
})
