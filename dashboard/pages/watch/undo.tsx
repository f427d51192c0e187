// Going back to the revision before.
import { useState } from 'preact/hooks'
import { useShortcuts } from '../../session/keys.ts'
import { whyNot } from '../../session/session.ts'
import { api, must } from '../../api/client.ts'
import { rollBackProject } from '../../actions/secrets.ts'
import { Button } from '../../ui/button.tsx'
import { AskFirst } from '../review/ask-first.tsx'
import type { ProjectPlace } from '../project/data.ts'

interface Props {
  readonly place: ProjectPlace
  /** The newest revision, which is undone. */
  readonly revision: number
}

const Ask = ({ place, revision, onClose }: Props & { readonly onClose: () => void }) => (
  <AskFirst
    place={place}
    title={`Undo revision ${revision}?`}
    verb="Undo"
    note={`undo of revision ${revision}`}
    send={(order) =>
      must(
        api.POST('/projects/{project_id}/rollback', {
          params: { path: { project_id: `${place.team}/${place.project}` } },
          body: { revision: 'previous', ...order },
        }),
      )
    }
    keysOf={({ added, removed, changed }) =>
      [...added, ...removed, ...changed].map(({ key }) => key)
    }
    revisionOf={() => revision + 1}
    action={rollBackProject(place, revision - 1)}
    onClose={onClose}
  />
)

export const Undo = ({ place, revision }: Props) => {
  const [asks, setAsks] = useState(false)
  const why = whyNot('update', 'stagelysecrets', place.team)
  useShortcuts([
    {
      keys: 'u',
      does: 'Undo this revision',
      run: () => {
        if (why === undefined) setAsks(true)
        return true
      },
    },
  ])
  return (
    <>
      <Button whyNot={why} keys="u" onPress={() => setAsks(true)}>
        Undo
      </Button>
      {asks ? <Ask place={place} revision={revision} onClose={() => setAsks(false)} /> : null}
    </>
  )
}
