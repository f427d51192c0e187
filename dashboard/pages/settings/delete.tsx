// Deletes a project: asks for its name first.
import { useLocation } from 'preact-iso'
import { useState } from 'preact/hooks'
import { api, must } from '../../api/client.ts'
import type { Project } from '../../../src/rest/types.ts'
import { deleteDoing } from '../../copy-as/spec.ts'
import { toast } from '../../ui/announce.tsx'
import { confirmed } from '../../ui/confirm-login.tsx'
import { CopyAs, wasDone } from '../../ui/copy-as.tsx'
import { FormDialog } from '../../ui/form-dialog.tsx'

interface Props {
  readonly project: Project
  readonly onClose: () => void
}

export const DeleteProject = ({ project, onClose }: Props) => {
  const { id, name, secrets } = project
  const { route } = useLocation()
  const [typed, setTyped] = useState('')
  const doing = deleteDoing({ ...project, kind: 'Project', path: 'projects' })
  const remove = async (): Promise<void> => {
    const params = { path: { project_id: id } }
    await confirmed(() => must(api.DELETE('/projects/{project_id}', { params })))
    wasDone(doing)
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
      <CopyAs doing={doing} />
    </FormDialog>
  )
}
