// A group of fields, and several times the same fields, such as the environments of a project.
import type { ComponentChild } from 'preact'
import type { FormField } from '../../../src/resources/schemas/form.ts'
import type { Spec } from '../../actions/kinds.ts'
import type { JsonValue } from '../../api/text.ts'
import { Button } from '../../ui/button.tsx'
import { messageText } from '../../ui/text/message.ts'
import { Faults } from './labelled.tsx'
import { isSpec } from '../../actions/kinds.ts'
import { labelOf } from './values.ts'
import f from '../../ui/fields/form.module.css'
import s from './forms.module.css'

interface GroupProps {
  readonly field: FormField
  readonly place: string
  readonly faults: readonly string[]
  readonly children: ComponentChild
}

export const Group = ({ field, place, faults, children }: GroupProps) => (
  <fieldset class={s['group']}>
    <legend>{labelOf(field.name)}</legend>
    <p class={f['help']}>{messageText(field.help)}</p>
    <Faults id={`${place}-faults`} faults={faults} />
    {children}
  </fieldset>
)

interface Props extends Omit<GroupProps, 'children'> {
  readonly value: JsonValue | undefined
  readonly disabled: boolean
  /** The fields of one of them. */
  readonly body: (value: Spec, onChange: (next: Spec) => void) => ComponentChild
  readonly onChange: (next: JsonValue | undefined) => void
}

export const Groups = ({ field, place, value, faults, disabled, body, onChange }: Props) => {
  const all = (Array.isArray(value) ? value : []).filter(isSpec)
  const change = (next: readonly Spec[]): void =>
    onChange(next.length === 0 ? undefined : [...next])
  const title = labelOf(field.name)
  return (
    <Group field={field} place={place} faults={faults}>
      {all.map((one, row) => (
        <fieldset class={s['group']} key={row}>
          <legend>
            {title} {row + 1}
          </legend>
          {body(one, (next) => change(all.map((other, i) => (i === row ? next : other))))}
          {disabled ? null : (
            <div>
              <Button
                small
                variant="quiet"
                label={`Remove ${title.toLowerCase()} ${row + 1}`}
                onPress={() => change(all.filter((_, i) => i !== row))}
              >
                Remove
              </Button>
            </div>
          )}
        </fieldset>
      ))}
      {disabled ? null : (
        <div>
          <Button small onPress={() => change([...all, {}])}>
            Add
          </Button>
        </div>
      )}
    </Group>
  )
}
