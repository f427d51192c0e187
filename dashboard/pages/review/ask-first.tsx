// A change that is made at once, and not staged, such as going back: first as a dry run, which says which services get
// another container, then by a button that says the same, and only on exactly the secrets that the dry run saw.
import type { ComponentChild } from 'preact'
import { useLocation } from 'preact-iso'
import { useState } from 'preact/hooks'
import type { ApiAction } from '../../actions/copy-as.ts'
import { now } from '../../api/clock.ts'
import { partOf, someOf } from '../../live/known.ts'
import { keepApplied, startsOf } from '../../staging/applied.ts'
import type { ChangeImpact } from '../../staging/staging.ts'
import { CopyAs, wasDone } from '../../ui/copy-as.tsx'
import { Confirm } from '../../ui/dialogs/dialog.tsx'
import { revisionUrl } from '../../ui/text/links.ts'
import { ProblemBox } from '../../ui/problem.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { useSending } from '../../ui/use-sending.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { useStagelets, type ProjectPlace } from '../project/data.ts'
import { ImpactTable, recreateText } from './impact.tsx'
import f from '../../ui/fields/form.module.css'

type Order = { readonly dry_run: true } | { readonly expected_set: string; readonly note?: string }

interface Props<T> {
  readonly place: ProjectPlace
  readonly title: string
  /** `Undo`; the button adds the consequence. */
  readonly verb: string
  /** The reason, for the history. */
  readonly note: string
  /** The person may give another reason. */
  readonly asksNote?: boolean
  /** What else the dry run says. */
  readonly details?: (tried: T) => ComponentChild
  /** Why the change makes no sense. */
  readonly whyNot?: (tried: T) => string | undefined
  readonly send: (order: Order) => Promise<T>
  readonly keysOf: (done: T) => readonly string[]
  /** That holds the change; undefined: nothing changed. */
  readonly revisionOf: (done: T) => number | undefined
  /** The same in other tools. */
  readonly action: ApiAction
  readonly onClose: () => void
}

export const AskFirst = <T extends { readonly set: string; readonly impact: ChangeImpact }>({
  place,
  title,
  verb,
  note: givenNote,
  asksNote = false,
  details,
  whyNot,
  send,
  keysOf,
  revisionOf,
  action,
  onClose,
}: Props<T>) => {
  const { team, project } = place
  const { route } = useLocation()
  const stagelets = useStagelets(place)
  const { busy, error, run } = useSending()
  const [note, setNote] = useState(givenNote)
  const tried = useQuery({
    key: ['ask-first', team, project, title],
    read: () => send({ dry_run: true }),
  })
  const data = partOf(tried)
  const change = async (): Promise<void> => {
    if (data === undefined) return
    const given = note.trim()
    const [at, startedBefore] = [now(), startsOf(someOf(stagelets))]
    const done = await send({ expected_set: data.set, ...(given !== '' && { note: given }) }).catch(
      (reason: unknown) => {
        void tried.refetch()
        throw reason
      },
    )
    wasDone(action)
    const revision = revisionOf(done)
    onClose()
    if (revision === undefined) return
    const { impact } = done
    keepApplied(team, project, {
      revision,
      at,
      note: given,
      keys: keysOf(done),
      impact,
      startedBefore,
    })
    route(revisionUrl({ team, name: project }, revision))
  }
  return (
    <Confirm
      title={title}
      action={data === undefined ? verb : `${verb}: ${recreateText(data.impact)}`}
      busy={busy || tried.state === 'loading'}
      whyNot={tried.state === 'failed' ? 'The controller refuses this.' : data && whyNot?.(data)}
      onConfirm={() => void run(change)}
      onClose={onClose}
    >
      {error === undefined ? null : <ProblemBox error={error} />}
      <WhenKnown value={tried}>
        {(answer) => (
          <>
            <ImpactTable impact={answer.impact} />
            {details?.(answer)}
          </>
        )}
      </WhenKnown>
      {asksNote ? (
        <label class={f['form']}>
          <span>Reason (optional)</span>
          <input
            maxLength={1000}
            value={note}
            onInput={(event) => setNote(event.currentTarget.value)}
          />
        </label>
      ) : null}
      <CopyAs action={action} />
    </Confirm>
  )
}
