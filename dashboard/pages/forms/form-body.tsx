// The fields of a form: what is required first, then the choice of one, then the rest, folded.
import type { ComponentChild } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'
import type { Form, FormField } from '../../../src/resources/schemas/form.ts'
import type { Spec } from '../../actions/kinds.ts'
import { messageText } from '../../ui/text/message.ts'
import { Field } from './fields.tsx'
import { Group, Groups } from './groups.tsx'
import { Faults } from './labelled.tsx'
import { isSpec } from '../../actions/kinds.ts'
import { isFieldOpen, labelOf, withChosen, withField } from './values.ts'
import f from '../../ui/fields/form.module.css'
import s from './forms.module.css'

/** The same for all fields of the form. */
interface Surroundings {
  readonly faults: ReadonlyMap<string, readonly string[]>
  readonly namesOf: (field: FormField) => readonly string[]
  readonly words: Readonly<Record<string, string>>
  /** Places of fields that cannot be changed. */
  readonly fixed: ReadonlySet<string>
  readonly disabled: boolean
}

interface Props {
  readonly form: Form
  readonly value: Spec
  /** `webhook.` of the fields below it; '' of all. */
  readonly before?: string
  readonly around: Surroundings
  readonly onChange: (next: Spec) => void
}

/** Opens by itself where something is in it, and closes only by hand. */
const Fold = ({
  title,
  isWanted,
  children,
}: {
  readonly title: ComponentChild
  readonly isWanted: boolean
  readonly children: ComponentChild
}) => {
  const [isUnfolded, setUnfolded] = useState(isWanted)
  useEffect(() => {
    if (isWanted) setUnfolded(true)
  }, [isWanted])
  return (
    <details
      class={s['fold']}
      open={isUnfolded}
      onToggle={({ currentTarget }) => setUnfolded(currentTarget.open)}
    >
      <summary>{title}</summary>
      <div class={f['form']}>{children}</div>
    </details>
  )
}

/** Which one of several: a select, and the fields of the chosen one below it. */
const OneOf = ({
  form,
  value,
  around,
  drawField,
  onChange,
}: Props & { readonly drawField: (field: FormField) => ComponentChild }) => {
  const id = useId()
  const { oneOf = [] } = form
  const chosen = oneOf.find((name) => value[name] !== undefined) ?? ''
  const field = form.fields.find(({ name }) => name === chosen)
  return (
    <>
      <div>
        <label class={f['label']} for={id}>
          Which one
        </label>
        <select
          id={id}
          disabled={around.disabled}
          value={chosen}
          onChange={({ currentTarget }) => onChange(withChosen(form, value, currentTarget.value))}
        >
          <option value="">–</option>
          {oneOf.map((name) => (
            <option value={name}>{around.words[name] ?? labelOf(name)}</option>
          ))}
        </select>
        {field === undefined ? null : <p class={f['help']}>{messageText(field.help)}</p>}
      </div>
      {field === undefined ? null : drawField(field)}
    </>
  )
}

export const FormBody = (props: Props) => {
  const { form, value, before = '', around, onChange } = props
  const { fields, oneOf = [] } = form
  const drawField = (field: FormField): ComponentChild => {
    const { name } = field
    const place = `${before}${name}`
    const given = value[name]
    const faults = around.faults.get(place) ?? []
    const change = (next: Parameters<typeof withField>[3]): void =>
      onChange(withField(form, value, field, next))
    if (field.form === undefined)
      return (
        <Field
          key={name}
          field={field}
          value={given}
          faults={faults}
          names={around.namesOf(field)}
          words={around.words}
          disabled={around.disabled || around.fixed.has(place)}
          onChange={change}
        />
      )
    const { form: inner } = field
    if (field.type === 'groups')
      return (
        <Groups
          key={name}
          field={field}
          place={place}
          value={given}
          faults={faults}
          disabled={around.disabled || around.fixed.has(place)}
          body={(one, onOne) => (
            <FormBody form={inner} value={one} around={around} onChange={onOne} />
          )}
          onChange={change}
        />
      )
    const body = (
      <FormBody
        form={inner}
        value={isSpec(given) ? given : {}}
        before={`${place}.`}
        around={around}
        onChange={change}
      />
    )
    if (oneOf.includes(name)) return body
    if (field.required === true)
      return (
        <Group key={name} field={field} place={place} faults={faults}>
          {body}
        </Group>
      )
    return (
      <Fold key={name} title={labelOf(name)} isWanted={isFieldOpen(given, place, around.faults)}>
        <p class={f['help']}>{messageText(field.help)}</p>
        <Faults id={`${place}-faults`} faults={faults} />
        {body}
      </Fold>
    )
  }
  const others = fields.filter(({ name }) => !oneOf.includes(name))
  const required = others.filter((field) => field.required === true)
  const optional = others.filter((field) => field.required !== true && field.form === undefined)
  const groups = others.filter((field) => field.required !== true && field.form !== undefined)
  const isFolded = optional.length > 0 && (required.length > 0 || oneOf.length > 0)
  const isAnyOpen = optional.some(({ name }) =>
    isFieldOpen(value[name], `${before}${name}`, around.faults),
  )
  return (
    <>
      {required.map(drawField)}
      {oneOf.length === 0 ? null : <OneOf {...props} drawField={drawField} />}
      {isFolded ? (
        <Fold
          title={`More: ${optional.map(({ name }) => labelOf(name).toLowerCase()).join(', ')}`}
          isWanted={isAnyOpen}
        >
          {optional.map(drawField)}
        </Fold>
      ) : (
        optional.map(drawField)
      )}
      {groups.map(drawField)}
    </>
  )
}
