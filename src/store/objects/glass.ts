// The condition GlassBroken of a project: somebody has declared an emergency, and nobody else has reviewed it yet.
import { refOf, type KubeObject } from '../../resources/meta.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import type { WriteSession } from '../core/write-session.ts'
import { setConditions } from './status-writes.ts'
import { term } from '../state/rows.ts'
import { projectOfRequest } from '../guard/policies.ts'

export const isUnreviewed = (request: KubeObject): boolean =>
  specOf('AccessRequest', request).emergency === true &&
  statusOf('AccessRequest', request).decisions?.some(({ action }) => action === 'Review') !== true

/** After a change of an emergency of this project. */
export const noteGlass = (session: WriteSession, request: KubeObject): void => {
  const project = { kind: 'Project', ...projectOfRequest(request) }
  const row = session.fetch(project)
  if (row === undefined) return
  const broken = session
    .select(term.openRequestsIn(project.namespace))
    .map(({ object }) => object)
    .filter((open) => projectOfRequest(open).name === project.name && isUnreviewed(open))
    .map((open) => refOf(open).name)
  const observedGeneration = row.object.metadata.generation
  const [first] = broken
  setConditions(session, project, [
    first === undefined
      ? {
          type: 'GlassBroken',
          status: 'False',
          reason: 'Reviewed',
          message: 'each emergency was reviewed',
          observedGeneration,
        }
      : {
          type: 'GlassBroken',
          status: 'True',
          reason: 'ReviewDue',
          message: `values were opened in an emergency (${broken.join(', ')}): another person reviews it: stagely access review ${first} --outcome Justified`,
          observedGeneration,
        },
  ])
}
