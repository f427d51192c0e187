// The owner of a secret's value. A manifest of a folder may declare a secret and leave its value open: then the API may give
// the value.
import { waysToGive } from '../../kinds/secret/value.ts'
import { annotations, type KubeObject, type ObjectMeta } from '../../resources/meta.ts'
import { systemSource } from '../core/actor.ts'
import { sameJson } from '../../kernel/same-json.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'

export const givesValue = ({ spec = {} }: KubeObject): boolean =>
  waysToGive.some((field) => spec[field] !== undefined)

/** Sets the annotation that says: the owner of the secret gives its value too. Secrets of the API do not have it. */
export const withValueSource = (
  session: WriteSession,
  metadata: ObjectMeta,
  object: KubeObject,
  { owner, before }: { owner: string; before: ObjectMeta | undefined },
): ObjectMeta => {
  if (object.kind !== 'StagelySecret') return metadata
  const { [annotations.valueSource]: _, ...others } = metadata.annotations ?? {}
  const isOwner = session.actor.source === owner
  const kept =
    isOwner || owner === systemSource ? undefined : before?.annotations?.[annotations.valueSource]
  const source = isOwner && owner !== 'api' && givesValue(object) ? owner : kept
  const next = source === undefined ? others : { ...others, [annotations.valueSource]: source }
  return { ...metadata, annotations: next }
}

/** True where the API gives a value that the manifest leaves open, and changes nothing else. */
export const fillsOpenValue = (
  session: WriteSession,
  next: KubeObject,
  current: StoredRow,
): boolean =>
  next.kind === 'StagelySecret' &&
  session.actor.source === 'api' &&
  current.object.metadata.annotations?.[annotations.valueSource] === undefined &&
  !givesValue(current.object) &&
  sameJson(next.spec, current.object.spec)
