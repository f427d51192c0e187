// Whether the value may be read by all who see its name.
import { whyNot } from '../../../session/session.ts'
import { PlainValue } from '../../../ui/plain-value.tsx'
import type { SecretRow } from '../../project/data.ts'
import type { EditFields } from './edit-plan.ts'
import { valueManager } from './value-from.ts'
import f from '../../../ui/fields/form.module.css'

/** Why the value cannot become plain; undefined: it can. */
const whyNotPlain = (edited: SecretRow | undefined, team: string): string | undefined => {
  if (edited === undefined || edited.secret.name === '') return undefined
  const { secret } = edited
  if (secret.visibility === 'Plain') return undefined
  const manager = valueManager(secret)
  if (manager !== undefined) return `It stays masked. ${manager.says}`
  if (secret.audience === 'Controller') return 'It stays masked: it is for the controller alone.'
  return whyNot('get', 'stagelysecrets/value', team)
}

interface Props {
  readonly edited: SecretRow | undefined
  readonly team: string
  readonly value: EditFields['visibility']
  readonly onChange: (value: EditFields['visibility']) => void
}

export const VisibilityField = ({ edited, team, value, onChange }: Props) => {
  const why = whyNotPlain(edited, team)
  const shown = edited?.secret.value
  return (
    <div>
      <label>
        <span>Visibility</span>
        <select
          value={value}
          disabled={why !== undefined}
          onChange={({ currentTarget }) =>
            onChange(currentTarget.value === 'Plain' ? 'Plain' : 'Masked')
          }
        >
          <option value="Masked">masked: nobody reads it without the right to</option>
          <option value="Plain">plain: no secret, shown where its name is</option>
        </select>
      </label>
      {why === undefined ? null : <p class={f['help']}>{why}</p>}
      {shown === undefined ? null : (
        <p class={f['help']}>
          Now <PlainValue text={shown} />
        </p>
      )}
    </div>
  )
}
