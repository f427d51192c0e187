// Going back to a revision: the preview shows what differs, and which containers are re-created.
import type { Rollback } from '../../../src/generated/rest-types.ts'
import { rollBackProject } from '../../actions/secrets.ts'
import { api, must } from '../../api/client.ts'
import { AskFirst } from '../review/ask-first.tsx'
import type { ProjectPlace } from '../project/data.ts'
import { ChangeList } from './changes.tsx'

const changesOf = ({ added, removed, changed }: Rollback) => [...added, ...removed, ...changed]

interface Props {
  readonly place: ProjectPlace
  readonly revision: number
  readonly newest: number
  readonly onClose: () => void
}

export const GoBack = ({ place, revision, newest, onClose }: Props) => (
  <AskFirst<Rollback>
    place={place}
    title={`Go back to revision ${revision}`}
    verb="Go back"
    note=""
    asksNote
    details={(would) => (
      <>
        <ChangeList diff={would} />
        <p class="muted">
          This makes a new revision: nothing is lost, and it can be undone the same way.
        </p>
      </>
    )}
    whyNot={(would) => (changesOf(would).length === 0 ? 'Nothing would change.' : undefined)}
    send={(order) =>
      must(
        api.POST('/projects/{project_id}/rollback', {
          params: { path: { project_id: `${place.team}/${place.project}` } },
          body: { revision, ...order },
        }),
      )
    }
    keysOf={(done) => changesOf(done).map(({ key }) => key)}
    revisionOf={() => newest + 1}
    action={rollBackProject(place, revision)}
    onClose={onClose}
  />
)
