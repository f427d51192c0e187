// Asks before keys are rotated: all data keys, all that are wrapped, or the data key of one project.
import { api, must } from '../../api/client.ts'
import type { Project } from '../../../src/rest/types.ts'
import { rotateKeysDoing } from '../../copy-as/machines.ts'
import { useAction } from '../../ui/action.ts'
import { confirmed } from '../../ui/confirm-login.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { Confirm } from '../../ui/dialog.tsx'

export type Kind = 'data' | 'master'

interface Props {
  readonly kind: Kind
  /** Only the data key of this one. */
  readonly project?: Pick<Project, 'id' | 'team' | 'name'>
  readonly onDone: () => void
  readonly onClose: () => void
}

const questionOf = ({ kind, project }: Pick<Props, 'kind' | 'project'>) => {
  if (project !== undefined)
    return {
      title: `Rotate the data key of ${project.name}?`,
      action: 'Rotate the data key',
      text: 'The project gets a new data key, and its values are sealed anew in the background.',
    }
  return kind === 'data'
    ? {
        title: 'Rotate all data keys?',
        action: 'Rotate the data keys',
        text: 'Each project gets a new data key, and all values are sealed anew in the background.',
      }
    : {
        title: 'Wrap all keys anew?',
        action: 'Wrap all keys anew',
        text: 'Every data key is wrapped anew by the newest version of the master key, or of the key of its project.',
      }
}

export const RotateKeys = ({ kind, project, onDone, onClose }: Props) => {
  const { busy, run } = useAction()
  const { title, action, text } = questionOf({ kind, ...(project && { project }) })
  const doing = rotateKeysDoing(kind, project)
  const begin = async (): Promise<void> => {
    const body = { kind, ...(project && { project_id: project.id }) }
    const request = () => must(api.POST('/keys/rotations', { body }))
    if (await run(() => confirmed(request), 'The rotation has begun.', doing)) onDone()
  }
  return (
    <Confirm
      title={title}
      action={action}
      busy={busy}
      onConfirm={() => void begin()}
      onClose={onClose}
    >
      <p>{text}</p>
      <p>No container restarts, and nothing waits for it.</p>
      <CopyAs doing={doing} />
    </Confirm>
  )
}
