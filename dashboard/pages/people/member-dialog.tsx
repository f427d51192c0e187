// The dialog that adds a member to a team, or changes role and place of one.
import { useState } from 'preact/hooks'
import type { TeamRole } from '../../../src/access/team-roles.ts'
import type { Member } from '../../../src/generated/rest-types.ts'
import { setMember } from '../../actions/people.ts'
import { perform } from '../../ui/action.ts'
import { CopyAs } from '../../ui/copy-as.tsx'
import { FormDialog } from '../../ui/dialogs/form-dialog.tsx'
import { namesIn, PlaceFields, textsOf } from './place-fields.tsx'
import { RoleSelect } from './roles.tsx'

export const MemberDialog = ({
  team,
  member,
  onDone,
  onClose,
}: {
  readonly team: string
  /** Absent: somebody new. */
  readonly member?: Member | undefined
  readonly onDone: () => void
  readonly onClose: () => void
}) => {
  const [user, setUser] = useState(member?.user ?? '')
  const [role, setRole] = useState<TeamRole>(member?.role ?? 'developer')
  const [texts, setTexts] = useState(textsOf(member ?? {}))
  const isNew = member === undefined
  const action = setMember(team, {
    user: user.trim(),
    role,
    isNew,
    narrowing: {
      projects: namesIn(texts.projects),
      environments: namesIn(texts.environments),
      stagelets: namesIn(texts.stagelets),
      folders: namesIn(texts.folders),
    },
  })
  const put = async (): Promise<void> => {
    await perform(action)
    onDone()
  }
  return (
    <FormDialog
      title={isNew ? `Add to ${team}` : `Permissions of ${user} in ${team}`}
      action={isNew ? 'Add to the team' : 'Save'}
      send={put}
      onClose={onClose}
    >
      {isNew ? (
        <label>
          <span>Name or e-mail address</span>
          <input required value={user} onInput={(event) => setUser(event.currentTarget.value)} />
        </label>
      ) : null}
      <label>
        <span>Role</span>
        <RoleSelect
          label="Role"
          value={role}
          onChoose={(chosen) => {
            if (chosen !== '') setRole(chosen)
          }}
        />
      </label>
      <PlaceFields texts={texts} onChange={setTexts} />
      {user.trim() === '' ? null : <CopyAs action={action} />}
    </FormDialog>
  )
}
