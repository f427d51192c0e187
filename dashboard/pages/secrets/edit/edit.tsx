// The dialogs that stage: a new secret, and another value or place of one. Nothing here is sent.
import { useRef, useState } from 'preact/hooks'
import type { Secret } from '../../../../src/rest/types.ts'
import { stageAll, type Edit } from '../../../staging/staging.ts'
import { Button } from '../../../ui/button.tsx'
import { Dialog } from '../../../ui/dialogs/dialog.tsx'
import { ValueField, type ValueHandle } from '../../../ui/fields/value-field.tsx'
import { partOf } from '../../../live/known.ts'
import { useProjectFound, type ProjectPlace, type ProjectSecrets, type SecretRow } from '../data.ts'
import {
  editFault,
  nowhereElse,
  placesOf,
  planEdit,
  storedAt,
  type EditFields,
  type MorePlaces,
} from './edit-plan.ts'
import { ManagedBy } from '../places/managed-by.tsx'
import type { Preset } from '../places/lens-grid.tsx'
import { OtherPlaces, PlaceFields } from '../places/places.tsx'
import { valueManager } from './value-from.ts'
import f from '../../../ui/fields/form.module.css'

interface EditProps {
  readonly place: ProjectPlace
  readonly all: ProjectSecrets
  /** undefined: a new one. */
  readonly edited: SecretRow | undefined
  readonly preset: Preset | undefined
  readonly onClose: () => void
}

const fieldsOf = (
  secret: Secret | undefined,
  { key, scope, stagelet, environments }: Preset,
): EditFields => ({
  key: secret?.key ?? key ?? '',
  scope: secret?.scope ?? scope ?? 'global',
  stagelet: secret?.stagelet ?? stagelet ?? '',
  environments: secret?.environments ?? environments,
  type: secret?.type ?? 'env',
  path: secret?.file_path ?? '',
})

/** Where a staged edit has moved the secret to. */
const movedFields = (fields: EditFields, edit: Edit | undefined): EditFields => ({
  ...fields,
  ...(typeof edit?.target?.scope === 'string' && { scope: edit.target.scope }),
  ...(edit?.target?.stagelet !== undefined && { stagelet: edit.target.stagelet ?? '' }),
})

/** What several places mean, in words. */
const saysOf = (fields: EditFields, more: MorePlaces, rows: readonly SecretRow[]): string => {
  const places = placesOf(fields, more)
  const storedCount = places.filter(
    (place) => storedAt(rows, fields.key, place) !== undefined,
  ).length
  return places.length === 1
    ? 'The value is set in each chosen scope of each chosen stagelet.'
    : `${places.length} secrets: ${storedCount} get a new value, ${places.length - storedCount} are new.`
}

export const EditDialog = ({ place, all, edited, preset = {}, onClose }: EditProps) => {
  const { rows, stagelets } = all
  const { team, project } = place
  const found = partOf(useProjectFound(place))
  const environments = (found?.environments ?? []).map(({ name }) => name)
  // A secret that is only staged is edited as a new one.
  const isStagedOnly = edited?.secret.name === ''
  const isNew = edited === undefined || isStagedOnly
  const secret = edited?.secret
  const takesValue = edited === undefined || valueManager(edited.secret) === undefined
  const [fields, setFields] = useState(() => movedFields(fieldsOf(secret, preset), edited?.edit))
  const [more, setMore] = useState(nowhereElse)
  const [fault, setFault] = useState<string | undefined>()
  const value = useRef<ValueHandle>(null)
  const change = (part: Partial<EditFields>): void => setFields({ ...fields, ...part })
  const submit = (): void => {
    const given = { fields, more, edited, rows }
    const wrong = editFault({ ...given, bytes: value.current?.has() === true ? 0 : undefined })
    setFault(wrong)
    if (wrong !== undefined) return
    const content = value.current?.take()
    const from = edited?.edit?.id
    stageAll(
      [team, project],
      planEdit({ ...given, bytes: content?.bytes }).map(({ edit, replaces }) => ({
        edit,
        how: { value: content?.value, replaces, from },
      })),
    )
    onClose()
  }
  return (
    <Dialog title={isNew ? 'New secret' : (secret?.key ?? '')} onClose={onClose}>
      <form
        class={f['form']}
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        {isNew ? <NewFields fields={fields} change={change} /> : null}
        {takesValue ? (
          <div>
            <label class={f['label']} for="new-value">
              {isNew ? 'Value' : 'New value'}
            </label>
            <ValueField
              id="new-value"
              handle={value}
              keeps={!isNew || isStagedOnly}
              first={!isNew}
              takesFile={fields.type === 'file'}
            />
          </div>
        ) : (
          <ManagedBy secret={edited.secret} />
        )}
        <PlaceFields
          fields={fields}
          change={change}
          stagelets={stagelets}
          environments={environments}
        />
        {takesValue ? (
          <OtherPlaces
            fields={fields}
            change={change}
            stagelets={stagelets}
            more={more}
            onMore={setMore}
            says={saysOf(fields, more, rows)}
          />
        ) : null}
        {fault === undefined ? null : (
          <p class={f['error']} role="alert">
            {fault}
          </p>
        )}
        <div class={f['buttons']}>
          <Button onPress={onClose}>Cancel</Button>
          <Button variant="primary" submit onPress={() => undefined}>
            {isNew ? 'Stage the secret' : 'Stage the change'}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

interface FieldsProps {
  readonly fields: EditFields
  readonly change: (part: Partial<EditFields>) => void
}

const NewFields = ({ fields, change }: FieldsProps) => (
  <div class={f['pair']}>
    <label>
      <span>Key</span>
      <input
        class={f['code']}
        autofocus
        value={fields.key}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => change({ key: event.currentTarget.value })}
      />
    </label>
    <label>
      <span>Type</span>
      <select
        value={fields.type}
        onChange={(event) =>
          change({ type: event.currentTarget.value === 'file' ? 'file' : 'env' })
        }
      >
        <option value="env">variable</option>
        <option value="file">file</option>
      </select>
    </label>
    {fields.type === 'file' ? (
      <label>
        <span>Path in the container</span>
        <input
          class={f['code']}
          value={fields.path}
          onInput={(event) => change({ path: event.currentTarget.value })}
        />
      </label>
    ) : null}
  </div>
)
