// The dialogs that stage: a new secret, and another value, place or visibility of one. Nothing here is sent.
import { Button } from '../../../ui/button.tsx'
import { StateText } from '../../../ui/state.tsx'
import { Dialog } from '../../../ui/dialogs/dialog.tsx'
import { ValueField } from '../../../ui/fields/value-field.tsx'
import { partOf } from '../../../live/known.ts'
import { useProjectFound, type SecretRow } from '../../project/data.ts'
import { placesOf, storedAt, type EditFields, type MorePlaces } from './edit-plan.ts'
import { useEdit, type EditProps } from './use-edit.ts'
import { VisibilityField } from './visibility-field.tsx'
import { ManagedBy } from './managed-by.tsx'
import { OtherPlaces, PlaceFields } from './place-fields.tsx'
import { valueManager } from './value-from.ts'
import f from '../../../ui/fields/form.module.css'

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

export const EditDialog = (props: EditProps) => {
  const { place, all, edited, onClose } = props
  const { rows, stagelets } = all
  const found = partOf(useProjectFound(place))
  const environments = (found?.environments ?? []).map(({ name }) => name)
  const takesValue = edited === undefined || valueManager(edited.secret) === undefined
  const { fields, change, more, isNew, fault, doubts, reach, ...edit } = useEdit(props)
  return (
    <Dialog title={isNew ? 'New secret' : (edited?.secret.key ?? '')} onClose={onClose}>
      <form
        class={f['form']}
        onSubmit={(event) => {
          event.preventDefault()
          edit.submit()
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
              handle={edit.value}
              keeps={edited !== undefined}
              first={!isNew}
              takesFile={fields.type === 'file'}
              isPlain={fields.visibility === 'Plain'}
            />
          </div>
        ) : (
          <ManagedBy secret={edited.secret} />
        )}
        <VisibilityField
          edited={edited}
          team={place.team}
          value={fields.visibility}
          onChange={(visibility) => change({ visibility })}
        />
        <PlaceFields
          fields={fields}
          change={edit.changePlace}
          stagelets={stagelets}
          environments={environments}
        />
        {reach === undefined ? null : (
          <p role="status">
            <StateText kind="warn">{reach}</StateText>
          </p>
        )}
        {takesValue ? (
          <OtherPlaces
            fields={fields}
            change={edit.changePlace}
            stagelets={stagelets}
            more={more}
            onMore={edit.setMore}
            says={saysOf(fields, more, rows)}
          />
        ) : null}
        {fault === undefined ? null : (
          <p class={f['error']} role="alert">
            {fault}
          </p>
        )}
        {doubts.map((doubt) => (
          <p key={doubt} role="alert">
            <StateText kind="warn">{doubt}</StateText>
          </p>
        ))}
        <div class={f['buttons']}>
          <Button onPress={onClose}>Cancel</Button>
          <Button variant="primary" submit onPress={() => undefined}>
            {doubts.length > 0
              ? 'Stage it all the same'
              : isNew
                ? 'Stage the secret'
                : 'Stage the change'}
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
