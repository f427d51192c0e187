// What a change set does before it is done: each edit with its verdict, and which containers get a new one.
import { useLocation } from 'preact-iso'
import { useMemo, useRef, useState } from 'preact/hooks'
import { useShortcuts } from '../../session/keys.ts'
import { whyNot } from '../../session/session.ts'
import { now } from '../../api/clock.ts'
import type { ApiAction } from '../../actions/copy-as.ts'
import { applyChangeSet } from '../../actions/secrets.ts'
import { appliedOf, keepApplied, startsOf } from '../../staging/applied.ts'
import {
  applyEdits,
  PartlyApplied,
  realEdits,
  reviewRequests,
  useReview,
  type Reviewed,
} from '../../staging/review.ts'
import { discardAll, editsOf, unstage, type Edit } from '../../staging/staging.ts'
import { announce, toast } from '../../ui/announce.tsx'
import { Button, LinkButton } from '../../ui/button.tsx'
import { CopyAs, wasDone } from '../../ui/copy-as.tsx'
import { projectUrl, revisionUrl } from '../../ui/text/links.ts'
import { Empty, PageFrame, Panel, Skeleton } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { StateText } from '../../ui/state.tsx'
import { useSending } from '../../ui/use-sending.ts'
import { partOf, someOf } from '../../live/known.ts'
import {
  useProjectFound,
  useProjectPlace,
  useStagelets,
  type ProjectPlace,
} from '../project/data.ts'
import { secretEdits } from './copied.ts'
import { EditList } from './edits.tsx'
import { ImpactTable, recreateText } from './impact.tsx'
import s from './review.module.css'

const many = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

interface Why {
  readonly note: string
  readonly action: ApiAction
}

const useApply = (place: ProjectPlace, reviewed: Reviewed, { note, action }: Why) => {
  const { team, project } = place
  const { route } = useLocation()
  const stagelets = useStagelets(place)
  const { busy, error, run: send } = useSending()
  // The same request, sent twice, is done once; another dry run is another request.
  const attempt = useRef({ edits: reviewed.edits, key: crypto.randomUUID() })
  if (attempt.current.edits !== reviewed.edits)
    attempt.current = { edits: reviewed.edits, key: crypto.randomUUID() }
  // A second press comes before the page has drawn that it is busy.
  const runs = useRef(false)
  const apply = async (): Promise<void> => {
    try {
      const startedBefore = startsOf(someOf(stagelets))
      const at = now()
      const answer = await applyEdits(`${team}/${project}`, reviewed, {
        note,
        key: attempt.current.key,
      })
      if (answer === 'faster') {
        toast({
          kind: 'warn',
          text: 'Somebody else changed these secrets. Check the review again.',
        })
        reviewed.again()
        return
      }
      const keys = [...new Set(realEdits(reviewed).map(({ key }) => key))]
      wasDone(action)
      discardAll(team, project)
      announce(`Applied ${many(keys.length, 'key')}`)
      const { revision, impact } = answer
      if (revision === undefined) route(projectUrl({ team, name: project }))
      else {
        keepApplied(team, project, { revision, at, note, keys, impact, startedBefore })
        route(revisionUrl({ team, name: project }, revision))
      }
    } catch (reason) {
      if (reason instanceof PartlyApplied)
        for (const { id } of reason.stored) unstage(team, project, id)
      throw reason
    } finally {
      runs.current = false
    }
  }
  const run = async (): Promise<void> => {
    if (runs.current) return
    runs.current = true
    await send(apply)
  }
  return { run, busy, error }
}

const Nothing = ({ place }: { readonly place: ProjectPlace }) => {
  const { team, project } = place
  const found = partOf(useProjectFound(place))
  const last = found === undefined ? undefined : appliedOf(team, project, found.revision)
  const url = projectUrl({ team, name: project })
  return (
    <Empty
      title="Nothing is staged"
      action={
        <p class={s['links']}>
          <LinkButton href={url} primary>
            Back to secrets
          </LinkButton>
          {last === undefined ? null : (
            <LinkButton href={revisionUrl({ team, name: project }, last.revision)}>
              Watch revision {last.revision}
            </LinkButton>
          )}
        </p>
      }
    >
      Edits of secrets are collected here and applied together.
    </Empty>
  )
}

const ApplyError = ({ error }: { readonly error: unknown }) => {
  if (error === undefined) return null
  if (!(error instanceof PartlyApplied)) return <ProblemBox error={error} />
  return (
    <>
      <p role="alert">
        <StateText kind="warn">
          {many(error.stored.length, 'edit')} of earlier requests are stored. The others stay
          staged.
        </StateText>
      </p>
      <ProblemBox error={error.cause} />
    </>
  )
}

/** Says before that the edits need several requests. */
const Requests = ({ edits }: { readonly edits: readonly Edit[] }) => {
  const count = useMemo(() => reviewRequests(edits).length, [edits])
  return count < 2 ? null : (
    <p class="muted">
      {many(edits.length, 'edit')} are more than one request takes: they go in {count}, and make one
      revision.
    </p>
  )
}

export const Page = () => {
  const place = useProjectPlace()
  const { team, project } = place
  const edits = editsOf(team, project)
  const found = partOf(useProjectFound(place))
  const [note, setNote] = useState('')
  const reviewed = useReview(`${team}/${project}`, edits, found?.revision)
  const action = applyChangeSet(place, secretEdits(place, edits), note)
  const apply = useApply(place, reviewed, { note, action })
  const isOfThese = reviewed.edits === edits
  const blocked =
    whyNot('create', 'stagelysecrets', team) ??
    (reviewed.error === undefined ? undefined : 'The controller refuses these edits.') ??
    (!isOfThese || reviewed.busy ? 'The preview is loading.' : undefined) ??
    (realEdits(reviewed).length === 0 ? 'These edits change nothing.' : undefined)
  useShortcuts([
    {
      keys: 'Mod+Enter',
      does: 'Apply',
      run: () => {
        if (blocked === undefined && !apply.busy) void apply.run()
        return true
      },
    },
  ])
  const url = projectUrl({ team, name: project })
  return (
    <PageFrame
      windowTitle={`◆ ${edits.length} Review ${project}`}
      title="Review"
      within={<a href={url}>{project}</a>}
      state={<StateText kind="staged">{edits.length} staged</StateText>}
    >
      {edits.length === 0 ? (
        <Nothing place={place} />
      ) : (
        <div class={s['columns']}>
          <Panel title="Changes" flush>
            <EditList place={place} reviewed={reviewed} edits={edits} />
          </Panel>
          <Panel
            title={found === undefined ? 'Impact' : `Impact, as of revision ${found.revision}`}
            flush
          >
            {reviewed.error !== undefined ? (
              <ProblemBox error={reviewed.error} onRetry={reviewed.again} />
            ) : reviewed.answer === undefined ? (
              <Skeleton />
            ) : (
              <ImpactTable impact={reviewed.answer.impact} isOld={!isOfThese} />
            )}
          </Panel>
          <div class={s['apply']}>
            <ApplyError error={apply.error} />
            <Requests edits={edits} />
            <label>
              <span>Reason (kept with the revision)</span>
              <input
                value={note}
                maxLength={1000}
                placeholder="rotate after INC-42"
                onInput={(event) => setNote(event.currentTarget.value)}
              />
            </label>
            <Button
              variant="primary"
              whyNot={blocked}
              busy={apply.busy}
              keys="Mod+Enter"
              onPress={() => void apply.run()}
            >
              {reviewed.answer === undefined
                ? 'Apply'
                : `Apply: ${recreateText(reviewed.answer.impact)}`}
            </Button>
            <CopyAs action={action} />
          </div>
        </div>
      )}
    </PageFrame>
  )
}
