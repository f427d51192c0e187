// A project or team that stagelets use cannot be deleted.
import type { ObjectRef } from '../../src/resources/meta.ts'
import { objectConflict } from '../../src/store/core/errors.ts'
import type { Reader } from '../../src/store/store.ts'

const mostNamed = 10

/** Conflict that names the stagelets; those that are being deleted do not count. */
export const checkUnused = async (reader: Reader, ref: ObjectRef): Promise<void> => {
  const of =
    ref.kind === 'Namespace'
      ? { namespace: ref.name }
      : { namespace: ref.namespace, project: ref.name }
  const { items } = await reader.list('Stagelet', of)
  const users = items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name)
  if (users.length === 0) return
  const more = users.length > mostNamed ? ` and ${users.length - mostNamed} more` : ''
  const cascade =
    ref.kind === 'Namespace'
      ? ', or take them along by propagationPolicy Foreground (kubectl delete --cascade=foreground)'
      : ''
  throw objectConflict(
    ref,
    `stagelets ${users.slice(0, mostNamed).join(', ')}${more} use it: delete these first${cascade}`,
  )
}
