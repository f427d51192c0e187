// One field of a form, by its type.
import { useId, useState } from 'preact/hooks'
import { Checks } from '../../ui/fields/checks.tsx'
import { messageText } from '../../ui/text/message.ts'
import { Faults, Labelled, fieldText, textsOf, type FieldProps } from './labelled.tsx'
import { TextMap } from './text-map.tsx'
import { labelOf, textLines, numberOr } from './values.ts'
import f from '../../ui/fields/form.module.css'
import s from './forms.module.css'

/** Long lists of names are typed, with suggestions; objects that are all known here are chosen. */
const isChosen = new Set(['Project', 'Agent', 'Stagelet'])

const Text = (props: FieldProps) => {
  const { field, value, names, disabled, onChange } = props
  const list = useId()
  const given = fieldText(value)
  return (
    <Labelled {...props}>
      {(described) =>
        isChosen.has(field.refersTo ?? '') ? (
          <select
            {...described}
            disabled={disabled}
            value={given}
            onChange={({ currentTarget }) =>
              onChange(currentTarget.value === '' ? undefined : currentTarget.value)
            }
          >
            <option value="">–</option>
            {[...new Set([...names, ...(given === '' ? [] : [given])])].map((name) => (
              <option value={name}>{name}</option>
            ))}
          </select>
        ) : (
          <>
            <input
              {...described}
              class={field.name === 'description' ? '' : f['code']}
              disabled={disabled}
              list={field.refersTo === undefined ? undefined : list}
              placeholder={field.usual ?? ''}
              autocomplete="off"
              spellcheck={false}
              value={given}
              onInput={({ currentTarget }) =>
                onChange(currentTarget.value === '' ? undefined : currentTarget.value)
              }
            />
            {field.refersTo === undefined ? null : (
              <datalist id={list}>
                {names.map((name) => (
                  <option value={name} />
                ))}
              </datalist>
            )}
          </>
        )
      }
    </Labelled>
  )
}

const NumberField = (props: FieldProps) => (
  <Labelled {...props}>
    {(described) => (
      <input
        {...described}
        inputMode="numeric"
        disabled={props.disabled}
        placeholder={props.field.usual ?? ''}
        autocomplete="off"
        value={fieldText(props.value)}
        onInput={({ currentTarget }) => props.onChange(numberOr(currentTarget.value))}
      />
    )}
  </Labelled>
)

const Flag = ({ field: { name, help }, value, faults, disabled, onChange }: FieldProps) => {
  const id = useId()
  return (
    <div>
      <label class={s['box']}>
        <input
          type="checkbox"
          checked={value === true}
          disabled={disabled}
          aria-describedby={`${id}-help ${id}-faults`}
          onChange={() => onChange(value === true ? undefined : true)}
        />
        {labelOf(name)}
      </label>
      <p class={f['help']} id={`${id}-help`}>
        {messageText(help)}
      </p>
      <Faults id={`${id}-faults`} faults={faults} />
    </div>
  )
}

const Choice = (props: FieldProps) => {
  const { field, value, words, disabled, onChange } = props
  const { options = [], usual } = field
  const given = fieldText(value)
  return (
    <Labelled {...props}>
      {(described) => (
        <select
          {...described}
          disabled={disabled}
          value={given}
          onChange={({ currentTarget }) =>
            onChange(currentTarget.value === '' ? undefined : currentTarget.value)
          }
        >
          <option value="">{usual === undefined ? '–' : `${words[usual] ?? usual} (usual)`}</option>
          {[...new Set([...options, ...(given === '' ? [] : [given])])].map((option) => (
            <option value={option}>{words[option] ?? option}</option>
          ))}
        </select>
      )}
    </Labelled>
  )
}

/** What is typed stays as it is while it says the same as the value. */
const Texts = (props: FieldProps) => {
  const { value, disabled, onChange } = props
  const given = textsOf(value).join('\n')
  const [draft, setDraft] = useState(given)
  const shown = (textLines(draft) ?? []).join('\n') === given ? draft : given
  return (
    <Labelled {...props}>
      {(described) => (
        <textarea
          {...described}
          class={f['area']}
          rows={Math.min(8, Math.max(2, shown.split('\n').length))}
          placeholder="one a line"
          disabled={disabled}
          spellcheck={false}
          value={shown}
          onInput={({ currentTarget }) => {
            setDraft(currentTarget.value)
            onChange(textLines(currentTarget.value))
          }}
        />
      )}
    </Labelled>
  )
}

const Several = ({ field, value, faults, names, words, onChange }: FieldProps) => {
  const chosen = textsOf(value)
  const options = [...new Set([...(field.options ?? names), ...chosen])]
  const id = useId()
  return (
    <div>
      <Checks
        title={`${labelOf(field.name)}${field.required === true ? '' : ' (optional)'}`}
        options={options.map((option) => [option, words[option] ?? option])}
        chosen={chosen}
        onChange={(next) => {
          const inOrder = options.filter((option) => next.includes(option))
          onChange(inOrder.length === 0 ? undefined : inOrder)
        }}
      />
      <p class={f['help']}>{messageText(field.help)}</p>
      <Faults id={id} faults={faults} />
    </div>
  )
}

export const Field = (props: FieldProps) => {
  switch (props.field.type) {
    case 'number':
      return <NumberField {...props} />
    case 'flag':
      return <Flag {...props} />
    case 'choice':
      return <Choice {...props} />
    case 'choices':
      return <Several {...props} />
    case 'texts':
      return isChosen.has(props.field.refersTo ?? '') ? (
        <Several {...props} />
      ) : (
        <Texts {...props} />
      )
    case 'map':
      return <TextMap {...props} />
    case 'text':
    case 'group':
    case 'groups':
      return <Text {...props} />
  }
}
