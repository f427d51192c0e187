// Going back to a revision: first what that would do, then, by a button that says the consequence, the change.
import type { Rollback } from '../../../src/rest/types.ts'
import { useRef } from 'preact/hooks'
import { api, must } from '../../api/client.ts'
import { rollBackProject } from '../../actions/secrets.ts'
import { partOf } from '../../live/known.ts'
import { toast } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { CopyAs, wasDone } from '../../ui/copy-as.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { useSending } from '../../ui/use-sending.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { ChangeList, consequence, ImpactSummary } from './changes.tsx'
import { projectId } from './data.ts'
import f from '../../ui/form.module.css'

interface Props {
  readonly project: { readonly team: string; readonly name: string }
  readonly revision: number
  readonly onClose: () => void
}

const rollBack = (project: string, body: object): Promise<Rollback> =>
  must(
    api.POST('/projects/{project_id}/rollback', {
      params: { path: { project_id: project } },
      body: body as { revision: number },
    }),
  )

const isNothing = ({ added, removed, changed }: Rollback): boolean =>
  added.length + removed.length + changed.length === 0

export const GoBack = ({ project, revision, onClose }: Props) => {
  const id = projectId(project)
  const action = rollBackProject({ team: project.team, project: project.name }, revision)
  const tried = useQuery<Rollback>({
    key: ['go-back', id, revision],
    read: () => rollBack(id, { revision, dry_run: true }),
  })
  const note = useRef<HTMLInputElement>(null)
  const { busy, error: failed, run } = useSending()
  const found = partOf(tried)
  const apply = async (): Promise<void> => {
    const why = note.current?.value.trim() ?? ''
    const request = { revision, expected_set: found?.set, ...(why !== '' && { note: why }) }
    await rollBack(id, request).catch((error: unknown) => {
      void tried.refetch()
      throw error
    })
    wasDone(action)
    toast({ kind: 'ok', text: `${project.name} is back at revision ${revision}.` })
    onClose()
  }
  return (
    <Dialog
      wide
      title={`Go back to revision ${revision}`}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            look="primary"
            busy={busy}
            whyNot={
              found === undefined
                ? 'The preview is loading.'
                : isNothing(found)
                  ? 'Nothing would change.'
                  : undefined
            }
            onPress={() => void run(apply)}
          >
            {found === undefined ? 'Go back' : `Go back: ${consequence(found.impact)}`}
          </Button>
        </>
      }
    >
      <div class={f['form']}>
        {failed === undefined ? null : <ProblemBox error={failed} />}
        <WhenKnown of={tried}>
          {(would) =>
            isNothing(would) ? (
              <p>What is stored now is what revision {revision} held. Nothing would change.</p>
            ) : (
              <>
                <ImpactSummary impact={would.impact} />
                <ChangeList diff={would} />
                <label>
                  <span>Why (optional)</span>
                  <input ref={note} maxLength={1000} />
                </label>
                <p class="muted">
                  It becomes the newest revision: nothing is lost, and this can be undone the same
                  way. Containers that still run these values are not touched.
                </p>
              </>
            )
          }
        </WhenKnown>
        <CopyAs action={action} />
      </div>
    </Dialog>
  )
}
