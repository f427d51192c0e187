// Going back to the revision before, as a dry run first: it says which services get another container, and does it
// only on exactly the secrets that the dry run saw.
import { useLocation } from 'preact-iso'
import { useState } from 'preact/hooks'
import { useShortcuts } from '../../app/keys.ts'
import { whyNot } from '../../app/session.ts'
import { api, must } from '../../api/client.ts'
import { now } from '../../live/clock.ts'
import { keepApplied, startsOf } from '../../staging/applied.ts'
import type { Impact } from '../../staging/staging.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm, Dialog } from '../../ui/dialog.tsx'
import { projectUrl } from '../../ui/links.ts'
import { Skeleton } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { ImpactTable } from '../review/impact.tsx'
import { useStagelets, type ProjectPlace } from '../secrets/data.ts'

interface Props {
  readonly place: ProjectPlace
  /** The newest revision, which is undone. */
  readonly revision: number
}

const servicesIn = ({ affected, cascaded }: Impact): string => {
  const count = affected.length + cascaded.length
  return `${count} service${count === 1 ? '' : 's'}`
}

const goBack = (
  project: string,
  more: { dry_run: true } | { expected_set: string; note: string },
) =>
  must(
    api.POST('/projects/{project_id}/rollback', {
      params: { path: { project_id: project } },
      body: { revision: 'previous', ...more },
    }),
  )

const Ask = ({ place, revision, onClose }: Props & { readonly onClose: () => void }) => {
  const { team, project } = place
  const { route } = useLocation()
  const stagelets = useStagelets(place)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const { data, error: refused } = useQuery({
    key: ['undo', team, project, revision],
    read: () => goBack(`${team}/${project}`, { dry_run: true }),
  })
  const title = `Undo revision ${revision}?`
  if (data === undefined)
    return (
      <Dialog title={title} onClose={onClose}>
        {refused === null ? <Skeleton /> : <ProblemBox error={refused} />}
      </Dialog>
    )
  const undo = async (): Promise<void> => {
    setBusy(true)
    try {
      const [at, startedBefore, note] = [now(), startsOf(stagelets), `undo of revision ${revision}`]
      const { impact } = await goBack(`${team}/${project}`, { expected_set: data.set, note })
      const keys = [...data.added, ...data.removed, ...data.changed].map(({ key }) => key)
      keepApplied(team, project, { revision: revision + 1, at, note, keys, impact, startedBefore })
      onClose()
      route(`${projectUrl({ team, name: project })}/history/${revision + 1}`)
    } catch (reason) {
      setError(reason)
      setBusy(false)
    }
  }
  return (
    <Confirm
      title={title}
      action={`Undo: re-create ${servicesIn(data.impact)}`}
      busy={busy}
      onConfirm={() => void undo()}
      onClose={onClose}
    >
      {error === undefined ? null : <ProblemBox error={error} />}
      <ImpactTable impact={data.impact} isOld={false} />
    </Confirm>
  )
}

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
      <Button
        whyNot={why}
        keys="u"
        onPress={() => {
          setAsks(true)
        }}
      >
        Undo
      </Button>
      {asks ? (
        <Ask
          place={place}
          revision={revision}
          onClose={() => {
            setAsks(false)
          }}
        />
      ) : null}
    </>
  )
}
