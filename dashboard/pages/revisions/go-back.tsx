// Going back to a revision, or to the one before the newest: the preview shows what differs, and which containers are
// re-created.
import { useState } from 'preact/hooks'
import type { Rollback } from '../../../src/generated/rest-types.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { rollBackProject } from '../../actions/secrets.ts'
import { api, must } from '../../api/client.ts'
import { useShortcuts } from '../../session/keys.ts'
import { whyNot } from '../../session/session.ts'
import { Button } from '../../ui/button.tsx'
import { AskFirst } from '../review/ask-first.tsx'
import type { ProjectPlace } from '../project/data.ts'
import { ChangeList } from './changes.tsx'

const changesOf = ({ added, removed, changed }: Rollback) => [...added, ...removed, ...changed]

interface Props {
  readonly place: ProjectPlace
  /** Where to; `previous`: the newest is undone. */
  readonly revision: number | 'previous'
  readonly newest: number
}

const Ask = ({ place, revision, newest, onClose }: Props & { readonly onClose: () => void }) => {
  const undoes = revision === 'previous'
  return (
    <AskFirst<Rollback>
      place={place}
      title={undoes ? `Undo revision ${newest}?` : `Go back to revision ${revision}`}
      verb={undoes ? 'Undo' : 'Go back'}
      note={undoes ? `undo of revision ${newest}` : ''}
      asksNote={!undoes}
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
      action={rollBackProject(place, undoes ? newest - 1 : revision)}
      onClose={onClose}
    />
  )
}

/** Undoing has a key too. */
export const GoBack = ({ small, ...props }: Props & { readonly small?: boolean }) => {
  const [asks, setAsks] = useState(false)
  const why = whyNot('update', 'stagelysecrets', props.place.team)
  const undoes = props.revision === 'previous'
  const run = (): boolean => {
    if (why === undefined) setAsks(true)
    return true
  }
  useShortcuts(undoes ? [{ keys: 'u', does: 'Undo this revision', run }] : [])
  return (
    <>
      <Button
        {...defined({ small, keys: undoes ? 'u' : undefined })}
        whyNot={why}
        onPress={() => setAsks(true)}
      >
        {undoes ? 'Undo' : `Go back to r${props.revision}…`}
      </Button>
      {asks ? <Ask {...props} onClose={() => setAsks(false)} /> : null}
    </>
  )
}
