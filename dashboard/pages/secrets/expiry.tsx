// Where a value comes from, until when it holds, and what is done at its end. The policy is no value: it is stored at
// once, after its diff was shown, and re-creates no container.
import { useState } from 'preact/hooks'
import type { Secret } from '../../../src/generated/rest-types.ts'
import { manifestNames, patchOf, type Spec } from '../../actions/kinds.ts'
import { patchSecret } from '../../actions/secrets.ts'
import { perform } from '../../ui/action.ts'
import { toast } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { FactList, Section } from '../../ui/dialogs/drawer.tsx'
import { FormDialog } from '../../ui/dialogs/form-dialog.tsx'
import { Ago, Since, Until } from '../../ui/time.tsx'
import { changesOf, isChanged, YamlDiff } from '../../ui/yaml-diff.tsx'
import type { ProjectPlace } from '../project/data.ts'
import { expiryFields, expiryBody, expiryText, type ExpiryFields } from './edit/expiry-fields.ts'
import { comesFrom } from './edit/value-from.ts'
import f from '../../ui/fields/form.module.css'

const untilRow = (label: string, at: string | undefined) =>
  at === undefined
    ? []
    : [
        [
          label,
          <span>
            <Until at={at} />{' '}
            <span class="muted">
              (<Since at={at} />)
            </span>
          </span>,
        ] as const,
      ]

const endLabels = {
  Spec: 'Value expires',
  Certificate: 'Certificate expires',
  Store: 'Expires in its store',
} as const

interface Props {
  readonly secret: Secret
  readonly place: ProjectPlace
  /** Why it cannot be changed here. */
  readonly why: string | undefined
}

export const ExpirySection = ({ secret, place, why }: Props) => {
  const [isEditing, setEditing] = useState(false)
  const {
    expires_at: ends,
    expires_from: from,
    rotation_due_at: old,
    known_outside: exposure,
  } = secret
  return (
    <Section
      title="Source and expiry"
      aside={
        <Button small label="Edit the expiry" whyNot={why} onPress={() => setEditing(true)}>
          Expiry…
        </Button>
      }
    >
      <FactList
        rows={[
          ['Value', comesFrom(secret)],
          ...(secret.external?.fetched_at === undefined
            ? []
            : [['Last sync', <Ago at={secret.external.fetched_at} />] as const]),
          ...untilRow(endLabels[from ?? 'Spec'], ends),
          ...untilRow('Maximum age', old),
          ...(exposure === undefined
            ? []
            : [
                [
                  'Former readers',
                  <span>
                    read by {exposure.people} who no longer have access (
                    <Since at={exposure.since} />)
                  </span>,
                ] as const,
              ]),
          ['Expiry', expiryText(secret.expiry)],
        ]}
      />
      {isEditing ? (
        <ExpiryDialog secret={secret} place={place} onClose={() => setEditing(false)} />
      ) : null}
    </Section>
  )
}

interface DialogProps {
  readonly secret: Secret
  readonly place: ProjectPlace
  readonly onClose: () => void
}

const ExpiryDialog = ({ secret, place, onClose }: DialogProps) => {
  const [fields, setFields] = useState(() => expiryFields(secret.expiry))
  const change = (part: Partial<ExpiryFields>): void => setFields({ ...fields, ...part })
  const before: Spec = { expiry: expiryBody(expiryFields(secret.expiry)) }
  const after: Spec = { expiry: expiryBody(fields) }
  const [previous, next] = [manifestNames(before), manifestNames(after)]
  const lines = changesOf(previous, next)
  const action = patchSecret(place, secret, patchOf(before, after), patchOf(previous, next))
  const send = async (): Promise<void> => {
    await perform(action)
    toast({ kind: 'ok', text: `The expiry of ${secret.key} is saved.` })
    onClose()
  }
  return (
    <FormDialog
      title={`Expiry of ${secret.key}`}
      action="Apply"
      whyNot={isChanged(lines) ? undefined : 'No changes yet.'}
      send={send}
      onClose={onClose}
    >
      <ExpiryFieldsOf
        fields={fields}
        change={change}
        isMade={secret.value_from?.generate !== undefined}
      />
      <YamlDiff lines={lines} />
      <p class="muted">
        {fields.rotates && fields.how !== 'never'
          ? 'When it expires, its services are re-created with the new value. Nothing changes now.'
          : 'No container is stopped or re-created by this, not even when it expires.'}
      </p>
      {isChanged(lines) ? <CopyAs action={action} /> : null}
    </FormDialog>
  )
}

const ExpiryFieldsOf = ({
  fields,
  change,
  isMade,
}: {
  readonly fields: ExpiryFields
  readonly change: (part: Partial<ExpiryFields>) => void
  readonly isMade: boolean
}) => (
  <>
    <label>
      <span>The value expires</span>
      <select
        value={fields.how}
        onChange={(event) => change({ how: event.currentTarget.value as ExpiryFields['how'] })}
      >
        <option value="never">never, or as its certificate or store says</option>
        <option value="after">some time after it was set</option>
        <option value="at">at a fixed time</option>
      </select>
    </label>
    {fields.how === 'never' ? null : (
      <>
        <div class={f['pair']}>
          <label>
            <span>{fields.how === 'after' ? 'After' : 'At'}</span>
            <input
              class={f['code']}
              required
              placeholder={fields.how === 'after' ? '90d' : '2027-03-31T00:00:00Z'}
              value={fields.how === 'after' ? fields.after : fields.at}
              onInput={(event) => change({ [fields.how]: event.currentTarget.value })}
            />
          </label>
          <label>
            <span>Warn before</span>
            <input
              class={f['code']}
              placeholder="30d, 7d, 1d"
              value={fields.warn}
              onInput={(event) => change({ warn: event.currentTarget.value })}
            />
          </label>
        </div>
        <label>
          <span>When it expires</span>
          <select
            value={fields.rotates ? 'Rotate' : 'Warn'}
            onChange={(event) => change({ rotates: event.currentTarget.value === 'Rotate' })}
          >
            <option value="Warn">notify</option>
            <option value="Rotate">generate a new value and roll it out</option>
          </select>
          {isMade ? null : (
            <p class={f['help']}>Only a value that the controller generated can be replaced.</p>
          )}
        </label>
      </>
    )}
  </>
)
