// Texts by name, in rows: the outputs of a rotation, the claims of a rule.
import { useId, useState } from 'preact/hooks'
import { Button } from '../../ui/button.tsx'
import { messageText } from '../../ui/text/message.ts'
import { Faults, fieldText, type FieldProps } from './labelled.tsx'
import { isSpec } from '../../actions/kinds.ts'
import { labelOf } from './values.ts'
import f from '../../ui/fields/form.module.css'
import s from './forms.module.css'

type Pair = readonly [name: string, text: string]

/** Pairs are kept here while one of them has no name yet. */
export const TextMap = ({ field, value, faults, names, disabled, onChange }: FieldProps) => {
  const given: readonly Pair[] = isSpec(value)
    ? Object.entries(value).map(([name, text]) => [name, fieldText(text)])
    : []
  const [draft, setDraft] = useState(given)
  const complete = draft.filter(([name]) => name !== '')
  const isSame = JSON.stringify(Object.fromEntries(complete)) === JSON.stringify(value ?? {})
  const pairs = isSame ? draft : given
  const id = useId()
  const change = (next: readonly Pair[]): void => {
    setDraft(next)
    const named = next.filter(([name]) => name !== '')
    onChange(named.length === 0 ? undefined : Object.fromEntries(named))
  }
  const part = (row: number, at: 0 | 1, label: string) => (
    <input
      class={f['code']}
      aria-label={`${label} ${row + 1}`}
      placeholder={label}
      list={at === 1 ? id : undefined}
      disabled={disabled}
      autocomplete="off"
      spellcheck={false}
      value={pairs[row]?.[at] ?? ''}
      onInput={({ currentTarget: { value: text } }) =>
        change(
          pairs.map(([name, content], i): Pair =>
            i !== row ? [name, content] : at === 0 ? [text.trim(), content] : [name, text.trim()],
          ),
        )
      }
    />
  )
  return (
    <fieldset class={s['group']}>
      <legend>{labelOf(field.name)}</legend>
      <p class={f['help']}>{messageText(field.help)}</p>
      {pairs.map((_, row) => (
        <div class={s['row']} key={row}>
          {part(row, 0, labelOf(field.name.replace(/s$/, '')))}
          {part(row, 1, field.refersTo === 'StagelySecret' ? 'Secret' : 'Text')}
          <Button
            small
            variant="quiet"
            label={`Remove row ${row + 1}`}
            onPress={() => change(pairs.filter((__, i) => i !== row))}
          >
            Remove
          </Button>
        </div>
      ))}
      <div>
        <Button small onPress={() => setDraft([...pairs, ['', '']])}>
          Add
        </Button>
      </div>
      <datalist id={id}>
        {names.map((name) => (
          <option value={name} />
        ))}
      </datalist>
      <Faults id={`${id}-faults`} faults={faults} />
    </fieldset>
  )
}
