// The dialogs that stage: a new secret, and another value or place of one. Nothing here is sent.
import { useRef, useState } from 'preact/hooks'
import type { Secret, Stagelet } from '../../api/types.ts'
import { stage, type Edit } from '../../staging/staging.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ValueField, type ValueHandle } from '../../ui/value-field.tsx'
import type { SecretRow } from './data.ts'
import f from '../../ui/form.module.css'

interface EditProps {
  readonly team: string
  readonly project: string
  /** undefined: a new one. */
  readonly edited: SecretRow | undefined
  readonly stagelets: readonly Stagelet[]
  readonly onClose: () => void
}

const keyRule = /^[A-Za-z_][A-Za-z0-9_.-]*$/

interface Fields {
  readonly key: string
  readonly scope: string
  readonly stagelet: string
  readonly type: 'env' | 'file'
  readonly path: string
}

const fieldsOf = (secret: Secret | undefined): Fields => ({
  key: secret?.key ?? '',
  scope: secret?.scope ?? 'global',
  stagelet: secret?.stagelet ?? '',
  type: secret?.type ?? 'env',
  path: secret?.file_path ?? '',
})

const faultOf = (fields: Fields, isNew: boolean, hasValue: boolean): string | undefined => {
  if (!keyRule.test(fields.key))
    return 'A key has letters, digits, "_", "." and "-", and does not begin with a digit.'
  if (fields.scope.trim() === '') return 'The scope is "global" or the name of a service.'
  if (isNew && !hasValue) return 'A new secret needs a value.'
  return undefined
}

/** What changes of the place; undefined: nothing. */
const movedOf = (before: Fields, now: Fields): Edit['moved'] => {
  const scope = before.scope === now.scope ? {} : { scope: now.scope }
  const stagelet =
    before.stagelet === now.stagelet ? {} : { stagelet: now.stagelet === '' ? null : now.stagelet }
  const moved = { ...scope, ...stagelet }
  return Object.keys(moved).length === 0 ? undefined : moved
}

export const servicesOf = (stagelets: readonly Stagelet[]): string[] =>
  [...new Set(stagelets.flatMap(({ services }) => services.map(({ name }) => name)))].sort()

export const EditDialog = ({ team, project, edited, stagelets, onClose }: EditProps) => {
  // A secret that is only staged is edited as a new one.
  const isNew = edited === undefined || edited.secret.name === ''
  const secret = edited?.secret
  const before = fieldsOf(secret)
  const [fields, setFields] = useState(before)
  const [fault, setFault] = useState<string | undefined>()
  const value = useRef<ValueHandle>(null)
  const change = (part: Partial<Fields>): void => {
    setFields({ ...fields, ...part })
  }
  const submit = (): void => {
    const hasValue = value.current?.has() === true
    const wrong = faultOf(fields, isNew, hasValue)
    const moved = isNew ? undefined : movedOf(before, fields)
    if (wrong !== undefined || (!isNew && !hasValue && moved === undefined)) {
      setFault(wrong ?? 'Nothing is changed: give a new value or another place.')
      return
    }
    const taken = value.current?.take()
    stage(
      [team, project],
      {
        op: isNew ? 'create' : 'update',
        key: fields.key,
        scope: fields.scope,
        stagelet: fields.stagelet === '' ? undefined : fields.stagelet,
        type: fields.type,
        file_path: fields.type === 'file' && fields.path !== '' ? fields.path : undefined,
        ...(isNew || secret === undefined
          ? {}
          : { secretId: secret.id, fromVersion: secret.version }),
        bytes: taken?.bytes,
        ...(moved === undefined ? {} : { moved }),
      },
      taken?.value,
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
        <div>
          <label class={f['label']} for="new-value">
            {isNew ? 'Value' : 'New value'}
          </label>
          <ValueField
            id="new-value"
            handle={value}
            keeps={!isNew}
            first={!isNew}
            takesFile={fields.type === 'file'}
          />
        </div>
        <PlaceFields {...{ fields, change, stagelets }} />
        {fault === undefined ? null : (
          <p class={f['error']} role="alert">
            {fault}
          </p>
        )}
        <div class={f['buttons']}>
          <Button onPress={onClose}>Cancel</Button>
          <Button look="primary" submit onPress={() => undefined}>
            {isNew ? 'Stage the secret' : 'Stage the change'}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

interface FieldsProps {
  readonly fields: Fields
  readonly change: (part: Partial<Fields>) => void
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
        onInput={(event) => {
          change({ key: event.currentTarget.value })
        }}
      />
    </label>
    <label>
      <span>Type</span>
      <select
        value={fields.type}
        onChange={(event) => {
          change({ type: event.currentTarget.value === 'file' ? 'file' : 'env' })
        }}
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
          onInput={(event) => {
            change({ path: event.currentTarget.value })
          }}
        />
      </label>
    ) : null}
  </div>
)

type Target = Pick<Fields, 'scope' | 'stagelet'>

interface PlaceProps {
  readonly fields: Target
  readonly change: (part: Partial<Target>) => void
  readonly stagelets: readonly Stagelet[]
}

export const PlaceFields = ({ fields, change, stagelets }: PlaceProps) => (
  <div class={f['pair']}>
    <label>
      <span>Scope</span>
      <input
        list="scopes"
        value={fields.scope}
        autocomplete="off"
        onInput={(event) => {
          change({ scope: event.currentTarget.value })
        }}
      />
      <datalist id="scopes">
        {['global', ...servicesOf(stagelets)].map((name) => (
          <option value={name} />
        ))}
      </datalist>
    </label>
    <label>
      <span>Stagelet</span>
      <select
        value={fields.stagelet}
        onChange={(event) => {
          change({ stagelet: event.currentTarget.value })
        }}
      >
        <option value="">all</option>
        {stagelets.map(({ name }) => (
          <option value={name}>{name}</option>
        ))}
      </select>
    </label>
  </div>
)
