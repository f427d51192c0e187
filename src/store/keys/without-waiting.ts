// Keys for a write: one that a key service has to unwrap first is waited for outside of it.
import type { ProjectKeys } from '../../secrets/project-keys.ts'
import type { Preparations } from '../preparations.ts'

export const withoutWaiting = (keys: ProjectKeys, preparations: Preparations): ProjectKeys => ({
  dataKey: (projectUid, id, wrapped) =>
    preparations.soon(`data key ${id}`, () => keys.dataKey(projectUid, id, wrapped)),
  digestKey: (projectUid, wrapped) =>
    preparations.soon(`digest key ${wrapped}`, () => keys.digestKey(projectUid, wrapped)),
})
