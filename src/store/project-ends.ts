// When the row of a project goes, and with it its keys.
import { placeOf } from './projects.ts'
import type { WriteSession } from './session.ts'

/** Forgets keys, versions and revisions of a project, or of a whole namespace: what was sealed under them can never be opened again. */
export const destroyProjects = (
  session: WriteSession,
  { namespace, name }: { readonly namespace: string; readonly name?: string },
): Promise<void> =>
  deleteRows(session, 'p.namespace = $1 AND ($2::text IS NULL OR p.name = $2)', [
    namespace,
    name ?? null,
  ])

/** The same of every project that nothing is left of: no Project, no secret, and none that can be restored. */
export const dropUnusedProjects = (session: WriteSession): Promise<void> =>
  deleteRows(
    session,
    `NOT EXISTS (SELECT 1 FROM objects o WHERE o.kind = 'Project' AND o.namespace = p.namespace AND o.name = p.name)
     AND NOT EXISTS (SELECT 1 FROM objects o WHERE o.kind = 'StagelySecret' AND o.namespace = p.namespace
       AND o.body #>> '{spec,projectRef,name}' = p.name)
     AND NOT EXISTS (SELECT 1 FROM deleted_secrets d WHERE d.project_uid = p.uid)`,
    [],
  )

const deleteRows = async (
  session: WriteSession,
  where: string,
  params: readonly unknown[],
): Promise<void> => {
  await session.settled()
  const rows = await session.tx.query<{ namespace: string; name: string }>(
    `DELETE FROM projects p WHERE ${where} RETURNING namespace, name`,
    params,
  )
  for (const place of rows.map(placeOf)) {
    session.loaded.delete(place)
    session.projects.delete(place)
    session.destroyed.add(place)
  }
}
