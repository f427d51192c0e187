// Asks before keys are rotated: all data keys, their wrapping, or the data key of one project.
import type { Project } from '../../../src/generated/rest-types.ts'
import { rotateKeys } from '../../actions/agents.ts'
import { ConfirmAction } from '../../ui/dialogs/confirm-action.tsx'

export type RotatedKeys = 'data' | 'master'

interface Props {
  readonly kind: RotatedKeys
  /** Only the data key of this one. */
  readonly project?: Pick<Project, 'id' | 'team' | 'name'>
  readonly onDone: () => void
  readonly onClose: () => void
}

const questionOf = ({ kind, project }: Pick<Props, 'kind' | 'project'>) => {
  if (project !== undefined)
    return {
      title: `Rotate the data key of ${project.name}?`,
      label: 'Rotate the data key',
      text: 'The project gets a new data key. Its values are re-encrypted in the background.',
    }
  return kind === 'data'
    ? {
        title: 'Rotate all data keys?',
        label: 'Rotate the data keys',
        text: 'Each project gets a new data key. All values are re-encrypted in the background.',
      }
    : {
        title: 'Re-wrap all data keys?',
        label: 'Re-wrap the keys',
        text: 'Every data key is encrypted with the newest version of the master key, or of the key of its project.',
      }
}

export const RotateKeys = ({ kind, project, onDone, onClose }: Props) => {
  const { title, label, text } = questionOf({ kind, ...(project && { project }) })
  return (
    <ConfirmAction
      title={title}
      label={label}
      action={rotateKeys(kind, project)}
      onDone={onDone}
      onClose={onClose}
    >
      <p>{text}</p>
      <p>No container restarts, and no other work waits for the rotation.</p>
    </ConfirmAction>
  )
}
