// The dialog that makes a token, of a person or of a team's machines.
import { useState } from 'preact/hooks'
import { defined } from '../../../src/kernel/defined.ts'
import type { TeamRole } from '../../../src/access/team-roles.ts'
import type { Token } from '../../../src/rest/types.ts'
import { now } from '../../live/clock.ts'
import { tokenDoing } from '../../copy-as/people.ts'
import { confirmed } from '../../ui/confirm-login.tsx'
import { CopyAs, wasDone } from '../../ui/copy-as.tsx'
import { FormDialog } from '../../ui/form-dialog.tsx'
import { RoleSelect } from './roles.tsx'
import f from '../../ui/form.module.css'

interface NewToken {
  readonly name: string
  readonly expires_at?: string
  readonly read_only: boolean
  readonly role?: TeamRole
}

/** Where the tokens are: one's own, a user's, a team's. */
export interface TokenPlace {
  readonly key: string
  readonly title: string
  /** Of machines of this team. */
  readonly team?: string
  readonly list: (signal: AbortSignal) => Promise<{ readonly tokens: readonly Token[] }>
  readonly create: (spec: NewToken) => Promise<{ readonly token: string }>
  readonly revoke: (id: string) => Promise<unknown>
  readonly whyNotCreate?: string | undefined
  readonly whyNotRevoke?: string | undefined
}

const dayMs = 86_400_000
const lengths = [
  [1, '1 day'],
  [30, '30 days'],
  [90, '90 days'],
  [365, '1 year'],
  [0, 'until it is revoked'],
] as const

export const NewTokenDialog = ({
  place,
  onMade,
  onClose,
}: {
  readonly place: TokenPlace
  readonly onMade: (token: string) => void
  readonly onClose: () => void
}) => {
  const isOfMachines = place.team !== undefined
  const [name, setName] = useState('')
  const [role, setRole] = useState<TeamRole | ''>(isOfMachines ? 'developer' : '')
  const [days, setDays] = useState(90)
  const [isReadOnly, setReadOnly] = useState(false)
  const expiresAt = days === 0 ? undefined : new Date(now() + days * dayMs).toISOString()
  const doing = tokenDoing({
    ...{ team: place.team, name: name.trim(), role: role === '' ? undefined : role, expiresAt },
    ...{ readOnly: isReadOnly, days: days === 0 ? undefined : days },
  })
  const create = async (): Promise<void> => {
    const spec = {
      name: name.trim(),
      read_only: isReadOnly,
      ...(role !== '' && { role }),
      ...defined({ expires_at: expiresAt }),
    }
    const { token } = await confirmed(() => place.create(spec))
    wasDone(doing)
    onMade(token)
  }
  return (
    <FormDialog title="New token" action="Make the token" send={create} onClose={onClose}>
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
          <span>{isOfMachines ? 'Role' : 'No more than'}</span>
          <RoleSelect
            label={isOfMachines ? 'Role' : 'No more than'}
            value={role}
            onChoose={setRole}
            {...(isOfMachines ? {} : { none: 'all that you may' })}
          />
        </label>
        <label>
          <span>Good for</span>
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
      <div>
        <input
          type="checkbox"
          id="read-only"
          checked={isReadOnly}
          onChange={(event) => setReadOnly(event.currentTarget.checked)}
        />{' '}
        <label for="read-only">It may only read</label>
      </div>
      {name.trim() === '' ? null : <CopyAs doing={doing} />}
    </FormDialog>
  )
}
