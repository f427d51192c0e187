// A project or team that stagelets use cannot be deleted.
import type { KubeObject, ObjectRef } from '../../src/resources/meta.ts'
import type { StageletSpec } from '../../src/resources/stagelet.ts'
import { conflict } from '../../src/store/errors.ts'
import type { Reader } from '../../src/store/store.ts'

const mostNamed = 10

const isUsing = (ref: ObjectRef, { metadata, spec }: KubeObject): boolean => {
  if (metadata.deletionTimestamp !== undefined) return false
  const { projectRef } = (spec ?? {}) as Partial<StageletSpec>
  return ref.kind === 'Namespace' || projectRef?.name === ref.name
}

/** Conflict that names the stagelets; those that are being deleted do not count. */
export const checkUnused = async (reader: Reader, ref: ObjectRef): Promise<void> => {
  const namespace = ref.kind === 'Namespace' ? ref.name : ref.namespace
  const { items } = await reader.list('Stagelet', { namespace })
  const users = items.filter((object) => isUsing(ref, object)).map(({ metadata }) => metadata.name)
  if (users.length === 0) return
  const more = users.length > mostNamed ? ` and ${users.length - mostNamed} more` : ''
  const cascade =
    ref.kind === 'Namespace'
      ? ', or take them along by propagationPolicy Foreground (kubectl delete --cascade=foreground)'
      : ''
  throw conflict(
    ref,
    `stagelets ${users.slice(0, mostNamed).join(', ')}${more} use it: delete these first${cascade}`,
  )
}
