// What every field has around its control: the label, the help, and what is wrong.
import type { ComponentChild } from 'preact'
import { useId } from 'preact/hooks'
import type { FormField } from '../../../src/resources/schemas/form.ts'
import type { JsonValue } from '../../api/text.ts'
import { messageText } from '../../ui/text/message.ts'
import { labelOf } from './values.ts'
import f from '../../ui/fields/form.module.css'
import s from './forms.module.css'

export interface FieldProps {
  readonly field: FormField
  readonly value: JsonValue | undefined
  readonly faults: readonly string[]
  /** Names of objects that the field may refer to. */
  readonly names: readonly string[]
  /** Words for what can be chosen. */
  readonly words: Readonly<Record<string, string>>
  readonly disabled: boolean
  readonly onChange: (next: JsonValue | undefined) => void
}

export const fieldText = (value: JsonValue | undefined): string =>
  value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)

export const textsOf = (value: JsonValue | undefined): readonly string[] =>
  value === undefined ? [] : Array.isArray(value) ? value.map(fieldText) : [fieldText(value)]

export const Faults = ({
  id,
  faults,
}: {
  readonly id: string
  readonly faults: readonly string[]
}) =>
  faults.length === 0 ? null : (
    <ul class={s['faults']} id={id}>
      {faults.map((text) => (
        <li class={f['error']}>{messageText(text)}</li>
      ))}
    </ul>
  )

interface Described {
  readonly id: string
  readonly 'aria-invalid': boolean
  readonly 'aria-describedby': string
}

/** Label, help and faults around one control. */
export const Labelled = ({
  field: { name, help, required },
  faults,
  children,
}: Pick<FieldProps, 'field' | 'faults'> & {
  readonly children: (described: Described) => ComponentChild
}) => {
  const id = useId()
  return (
    <div>
      <label class={f['label']} for={id}>
        {labelOf(name)}
        {required === true ? null : <span class="muted"> (optional)</span>}
      </label>
      {children({
        id,
        'aria-invalid': faults.length > 0,
        'aria-describedby': `${id}-help ${id}-faults`,
      })}
      <p class={f['help']} id={`${id}-help`}>
        {messageText(help)}
      </p>
      <Faults id={`${id}-faults`} faults={faults} />
    </div>
  )
}
