// A new team. Only admins make one; its members are added next.
import { useLocation } from 'preact-iso'
import { useState } from 'preact/hooks'
import { createTeam } from '../../actions/people.ts'
import { perform } from '../../ui/action.ts'
import { CopyAs } from '../../ui/copy-as.tsx'
import { FormDialog } from '../../ui/dialogs/form-dialog.tsx'
import f from '../../ui/fields/form.module.css'

export const NewTeam = ({ onClose }: { readonly onClose: () => void }) => {
  const { route } = useLocation()
  const [name, setName] = useState('')
  const action = createTeam(name)
  const create = async (): Promise<void> => {
    await perform(action)
    route(`/ui/t/${name}/members`)
  }
  return (
    <FormDialog title="New team" action="Make the team" send={create} onClose={onClose}>
      <label>
        <span>Name</span>
        <input
          required
          autofocus
          maxLength={63}
          placeholder="payments"
          autocomplete="off"
          spellcheck={false}
          value={name}
          onInput={(event) => setName(event.currentTarget.value.trim())}
        />
        <p class={f['help']}>
          Lower case letters, digits and "-". A team has its own projects, machines and stacks.
        </p>
      </label>
      {name === '' ? null : <CopyAs action={action} />}
    </FormDialog>
  )
}
