// What of a page is shown: a bar of fields, each of which stands in the address.
import type { ComponentChild } from 'preact'
import s from './filter-bar.module.css'

interface BarProps {
  readonly label: string
  readonly children: ComponentChild
}

export const FilterBar = ({ label, children }: BarProps) => (
  <form
    class={s['filter']}
    role="search"
    aria-label={label}
    onSubmit={(event) => event.preventDefault()}
  >
    {children}
  </form>
)

interface ChoiceProps {
  readonly label: string
  readonly value: string | undefined
  /** Each is its own text, or has another. */
  readonly options: readonly (string | readonly [value: string, text: string])[]
  /** Text of none of them. */
  readonly none?: string
  readonly onChoose: (value: string) => void
}

export const Choice = ({ label, value = '', options, none, onChoose }: ChoiceProps) => (
  <label>
    {label}
    <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
      {none === undefined ? null : <option value="">{none}</option>}
      {options.map((option) => {
        const [name, text] = typeof option === 'string' ? [option, option] : option
        return (
          <option key={name} value={name}>
            {text}
          </option>
        )
      })}
    </select>
  </label>
)

/** Names that can be chosen; one that is chosen stays, also where nothing of it is left. */
export const choosable = (
  all: readonly { readonly name: string }[],
  chosen: string | undefined,
): readonly string[] =>
  [...new Set([...all.map(({ name }) => name), ...(chosen === undefined ? [] : [chosen])])].sort()
