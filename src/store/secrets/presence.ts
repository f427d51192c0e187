// Which viewers of a project's set there are. Nobody else gets values.
import type { ObjectRef } from '../../resources/meta.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import type { Layout } from '../../secrets/layout.ts'
import type { Viewer } from '../../secrets/place.ts'
import type { WriteSession } from '../core/write-session.ts'
import { term } from '../state/rows.ts'

/** True for an environment with stagelets, for a stagelet that is there, and for undefined where one is in no environment. */
export const createPresence = (
  { view }: Pick<WriteSession, 'view'>,
  { ref, layout }: { readonly ref: ObjectRef; readonly layout: Layout },
): ((viewer: Viewer) => boolean) => {
  const environments = new Set(layout.stagelets.values())
  let isOutside: boolean | undefined
  return (viewer) => {
    if (typeof viewer === 'object') return environments.has(viewer.environment)
    if (viewer === undefined)
      return (isOutside ??= view.objects
        .withTerm(term.stageletsOf(ref))
        .some(({ object }) => !layout.stagelets.has(object.metadata.name)))
    const row = view.objects.get(`Stagelet/${ref.namespace}/${viewer}`)
    return row !== undefined && projectRefOf(row.object).name === ref.name
  }
}
