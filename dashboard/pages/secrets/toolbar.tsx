// The lens, and the stagelet of the lens that shows one.
import { useLocation } from 'preact-iso'
import { useQueryState, withQuery } from '../../app/team.ts'
import { lenses, lensNames, useLens } from './places/lens.ts'
import l from './places/lenses.module.css'

/** Links: each lens has an address. */
export const LensSwitch = () => {
  const { url } = useLocation()
  const current = useLens()
  return (
    <nav class={l['switch']} aria-label="View">
      {lenses.map((lens) => (
        <a
          key={lens}
          href={withQuery(url, { lens: lens === 'list' ? undefined : lens, secret: undefined })}
          aria-current={lens === current ? 'true' : undefined}
        >
          {lensNames[lens]}
        </a>
      ))}
    </nav>
  )
}

export const StageletSelect = ({
  names,
  value,
}: {
  readonly names: readonly string[]
  readonly value: string | undefined
}) => {
  const [, setStagelet] = useQueryState('of')
  return (
    <label>
      of
      <select
        aria-label="Stagelet"
        value={value ?? ''}
        onChange={(event) => setStagelet(event.currentTarget.value)}
      >
        {names.map((name) => (
          <option value={name}>{name}</option>
        ))}
      </select>
    </label>
  )
}
