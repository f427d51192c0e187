// Seals a text of a retired data key with the new one. The AAD stays.
import { open, seal } from '../../secrets/aead.ts'
import type { ProjectKeys } from '../../secrets/project-keys.ts'

export interface SealedOld {
  readonly project_uid: string
  readonly sealed: string
  readonly old_id: string
  readonly old_wrapped: string
  readonly new_id: string
  readonly new_wrapped: string
}

/** Rejects where a key cannot be opened, or the value does not open. */
export const sealAnew = async (
  keys: ProjectKeys,
  { project_uid: project, sealed, ...row }: SealedOld,
  aad: string,
): Promise<string> => {
  const [from, to] = await Promise.all([
    keys.dataKey(project, row.old_id, row.old_wrapped),
    keys.dataKey(project, row.new_id, row.new_wrapped),
  ])
  const value = open(from, sealed, aad)
  try {
    return seal(to, value, aad)
  } finally {
    value.fill(0)
  }
}
