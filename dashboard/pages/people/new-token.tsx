// The dialog that creates a token, of a person or of a team's machines.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { useState } from 'preact/hooks'
import type { TeamRole } from '../../../src/access/team-roles.ts'
import type { Token } from '../../../src/generated/rest-types.ts'
import { createToken } from '../../actions/people.ts'
import { now } from '../../api/clock.ts'
import { perform } from '../../ui/action.ts'
import { CopyAs } from '../../ui/copy-as.tsx'
import { FormDialog } from '../../ui/dialogs/form-dialog.tsx'
import { namesIn, PlaceFields, textsOf } from './place-fields.tsx'
import { RoleSelect } from './roles.tsx'
import f from '../../ui/fields/form.module.css'

/** Where the tokens are: one's own, or a team's. */
export interface TokenPlace {
  readonly key: string
  readonly title: string
  /** Of machines of this team. */
  readonly team?: string
  readonly list: (signal: AbortSignal) => Promise<{ readonly tokens: readonly Token[] }>
  readonly whyNotCreate?: string | undefined
  readonly whyNotRevoke?: string | undefined
}

const dayMs = 86_400_000
const lengths = [
  [1, '1 day'],
  [30, '30 days'],
  [90, '90 days'],
  [365, '1 year'],
  [0, 'never'],
] as const

export const NewTokenDialog = ({
  place,
  onCreated,
  onClose,
}: {
  readonly place: TokenPlace
  readonly onCreated: (token: string) => void
  readonly onClose: () => void
}) => {
  const isOfMachines = place.team !== undefined
  const [name, setName] = useState('')
  const [role, setRole] = useState<TeamRole | ''>(isOfMachines ? 'developer' : '')
  const [days, setDays] = useState(90)
  const [isReadOnly, setReadOnly] = useState(false)
  const [texts, setTexts] = useState(textsOf({}))
  const expiresAt = days === 0 ? undefined : toFineTimestamp(now() + days * dayMs)
  const action = createToken({
    team: place.team,
    name: name.trim(),
    role: role === '' ? undefined : role,
    readOnly: isReadOnly,
    projects: namesIn(texts.projects),
    environments: namesIn(texts.environments),
    stagelets: namesIn(texts.stagelets),
    folders: namesIn(texts.folders),
    days: days === 0 ? undefined : days,
    expiresAt,
  })
  const create = async (): Promise<void> => {
    const { token } = await perform(action)
    if (token === undefined) throw new Error('the token was shown already: revoke it')
    onCreated(token)
  }
  return (
    <FormDialog title="New token" action="Create token" send={create} onClose={onClose}>
      <label>
        <span>Name</span>
        <input
          required
          maxLength={63}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <div class={f['pair']}>
        <label>
          <span>{isOfMachines ? 'Role' : 'Role limit'}</span>
          <RoleSelect
            label={isOfMachines ? 'Role' : 'Role limit'}
            value={role}
            onChoose={setRole}
            {...(isOfMachines ? {} : { none: 'same as you' })}
          />
        </label>
        <label>
          <span>Expires after</span>
          <select
            value={String(days)}
            onChange={(event) => setDays(Number(event.currentTarget.value))}
          >
            {lengths.map(([length, text]) => (
              <option value={String(length)}>{text}</option>
            ))}
          </select>
        </label>
      </div>
      <PlaceFields texts={texts} onChange={setTexts} />
      <div>
        <input
          type="checkbox"
          id="read-only"
          checked={isReadOnly}
          onChange={(event) => setReadOnly(event.currentTarget.checked)}
        />{' '}
        <label for="read-only">Read-only</label>
      </div>
      {name.trim() === '' ? null : <CopyAs action={action} />}
    </FormDialog>
  )
}
