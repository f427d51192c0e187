// Deletes a project: asks for its name first.
import { useLocation } from 'preact-iso'
import { useState } from 'preact/hooks'
import type { Project } from '../../../src/generated/rest-types.ts'
import { deleteObject } from '../../actions/kinds.ts'
import { perform } from '../../ui/action.ts'
import { toast } from '../../ui/announce.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { FormDialog } from '../../ui/dialogs/form-dialog.tsx'

interface Props {
  readonly project: Project
  readonly onClose: () => void
}

export const DeleteProject = ({ project, onClose }: Props) => {
  const { name, secrets } = project
  const { route } = useLocation()
  const [typed, setTyped] = useState('')
  const action = deleteObject('Project', project)
  const remove = async (): Promise<void> => {
    await perform(action)
    toast({ kind: 'ok', text: `${name} is deleted.` })
    route('/ui/projects')
  }
  return (
    <FormDialog
      title={`Delete ${name}?`}
      action={`Delete ${name} and ${secrets} ${secrets === 1 ? 'secret' : 'secrets'}`}
      danger
      whyNot={typed === name ? undefined : 'Type the name of the project first.'}
      send={remove}
      onClose={onClose}
    >
      <label>
        <span>
          Type <code>{name}</code>
        </span>
        <input
          autofocus
          autocomplete="off"
          spellcheck={false}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value.trim())}
        />
      </label>
      <CopyAs action={action} />
    </FormDialog>
  )
}
