// When the row of a project goes, and with it its keys.
import type { ObjectRef } from '../resources/meta.ts'
import { destroyProject, projectAt } from './projects.ts'
import type { WriteSession } from './session.ts'
import { term, type ProjectRow } from './state/rows.ts'

type Place = Pick<ObjectRef, 'namespace' | 'name'>

/** Forgets all projects of a namespace. */
export const destroyProjectsIn = (session: WriteSession, namespace: string): void => {
  for (const row of session.view.projects.withTerm(term.inNamespace(namespace)))
    destroyProject(session, row)
}

/** Nothing is left of it: no Project, no secret, and none that can be restored. */
const isUnused = ({ view }: WriteSession, row: ProjectRow): boolean =>
  view.objects.get(`Project/${row.namespace}/${row.name}`) === undefined &&
  view.objects.withTerm(term.secretsOf(row)).length === 0 &&
  view.buried.withTerm(term.headsOf(row.id)).length === 0

export const dropIfUnused = (session: WriteSession, place: Place): void => {
  const row = projectAt(session.view, place)
  if (row !== undefined && isUnused(session, row)) destroyProject(session, row)
}
