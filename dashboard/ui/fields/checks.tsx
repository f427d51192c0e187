// Several of a few: boxes with a title, and a field to find one where there are many.
import { useState } from 'preact/hooks'
import s from './checks.module.css'

interface ChecksProps {
  readonly title: string
  /** Names, with the word that is shown for each. */
  readonly options: readonly (readonly [string, string])[]
  /** Chosen already, and not to be taken out here. */
  readonly fixed?: string
  readonly chosen: readonly string[]
  readonly onChange: (chosen: readonly string[]) => void
}

const manyFrom = 10

export const Checks = ({ title, options, fixed, chosen, onChange }: ChecksProps) => {
  const [part, setPart] = useState('')
  const shown = options.filter(([, text]) => text.toLowerCase().includes(part.toLowerCase()))
  return (
    <fieldset class={s['checks']}>
      <legend>{title}</legend>
      {options.length < manyFrom ? null : (
        <input
          type="search"
          aria-label={`Find in ${title}`}
          placeholder="find"
          value={part}
          onInput={(event) => setPart(event.currentTarget.value)}
        />
      )}
      <div>
        {shown.map(([name, text]) => (
          <label key={name}>
            <input
              type="checkbox"
              disabled={name === fixed}
              checked={name === fixed || chosen.includes(name)}
              onChange={() => {
                const rest = chosen.filter((option) => option !== name)
                onChange(rest.length < chosen.length ? rest : [...rest, name])
              }}
            />
            {text}
          </label>
        ))}
      </div>
    </fieldset>
  )
}
