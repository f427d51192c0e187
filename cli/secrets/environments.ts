// Secrets as a set holds them, for what environments see of them.
import type { KubeObject } from '../../src/resources/meta.ts'
import { ofKind } from '../../src/resources/typed.ts'
import { viewersIn, type ProjectEntry } from '../../src/secrets/set-entry.ts'

/** A secret as a set holds it, but for its value. */
export const entryOf = (secret: KubeObject): ProjectEntry => {
  const { metadata, spec, status } = ofKind('StagelySecret', secret)
  const { key, scope, type, file, ...more } = spec
  return {
    secretId: metadata.uid ?? '',
    name: metadata.name,
    version: status?.version ?? 0,
    key,
    scope,
    type,
    ...viewersIn(more),
    ...(file !== undefined && { file }),
    bytes: 0,
    valueDigest: '', // only the agent and the controller have it
    ...(more.references === true && { references: [] }),
  }
}
