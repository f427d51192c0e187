// The field of the filter, with what it may go on with: arrows choose, Tab or Enter takes, Esc closes.
import { useId, useRef, useState } from 'preact/hooks'
import { useShortcuts } from '../../../session/keys.ts'
import { useQueryState } from '../../../session/team.ts'
import { filterFlags, filterNames, parseFilter } from './filter.ts'
import { complete, suggest, type ValuesOf } from './filter-suggest.ts'
import s from './filter-field.module.css'

interface FilterProps {
  readonly count: number
  readonly shown: number
  readonly valuesOf: ValuesOf
}

const help = [...Object.values(filterNames), ...filterFlags.map((flag) => `is:${flag}`)].join('  ')

const useSuggestions = (valuesOf: ValuesOf, onText: (text: string) => void) => {
  const field = useRef<HTMLInputElement>(null)
  const [words, setWords] = useState<readonly string[]>([])
  const [marked, setMarked] = useState(-1)
  const suggestNow = (): void => {
    const { value = '', selectionStart } = field.current ?? {}
    setWords(suggest(value, selectionStart ?? value.length, valuesOf))
    setMarked(-1)
  }
  const close = (): void => {
    setWords([])
    setMarked(-1)
  }
  const take = (word: string): void => {
    const input = field.current
    if (input === null) return
    const next = complete(input.value, input.selectionStart ?? input.value.length, word)
    input.value = next.text
    input.setSelectionRange(next.caret, next.caret)
    onText(next.text)
    suggestNow()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const chosen = words[marked]
    if (event.key === 'Escape') {
      if (words.length === 0) field.current?.blur()
      close()
    } else if (words.length === 0) return
    else if (event.key === 'ArrowDown') setMarked((marked + 1) % words.length)
    else if (event.key === 'ArrowUp') setMarked((marked <= 0 ? words.length : marked) - 1)
    else if ((event.key === 'Tab' || event.key === 'Enter') && chosen !== undefined) take(chosen)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return { field, words, marked, suggestNow, close, take, onKeyDown }
}

export const FilterField = ({ count, shown, valuesOf }: FilterProps) => {
  const [query, setQuery] = useQueryState('q')
  const id = useId()
  const { field, words, marked, suggestNow, close, take, onKeyDown } = useSuggestions(
    valuesOf,
    setQuery,
  )
  useShortcuts([{ keys: '/', does: 'Filter', run: () => (field.current?.focus(), true) }])
  const { unknown } = parseFilter(query ?? '')
  return (
    <div class={s['filter']}>
      <div class={s['box']}>
        <input
          ref={field}
          type="search"
          role="combobox"
          list={undefined}
          aria-label="Filter secrets"
          aria-expanded={words.length > 0}
          aria-controls={id}
          aria-autocomplete="list"
          aria-activedescendant={marked < 0 ? undefined : `${id}-${marked}`}
          placeholder="filter, such as key:DB_* -is:global"
          title={help}
          value={query ?? ''}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => {
            setQuery(event.currentTarget.value)
            suggestNow()
          }}
          onFocus={suggestNow}
          onBlur={close}
          onKeyDown={onKeyDown}
        />
        <ul id={id} role="listbox" aria-label="Suggestions" hidden={words.length === 0}>
          {words.map((word, index) => (
            <li
              key={word}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === marked}
              onPointerDown={(event) => {
                // The focus stays in the field.
                event.preventDefault()
                take(word)
              }}
            >
              {word}
            </li>
          ))}
        </ul>
      </div>
      <span class="muted num" role="status">
        {unknown.length > 0 ? `not understood: ${unknown.join(' ')} · ` : ''}
        {shown === count ? '' : `${shown.toLocaleString('en')} of `}
        {count.toLocaleString('en')}
      </span>
    </div>
  )
}
