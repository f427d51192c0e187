// The lens, the stagelet of the lens that shows one, and the columns of the one that shows all.
import { useLocation } from 'preact-iso'
import { useQueryState, withQuery } from '../../session/team.ts'
import { lenses, lensNames, useLens } from './places/lens.ts'
import l from './places/lenses.module.css'

/** Links: each lens has an address. */
const LensSwitch = () => {
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

const AcrossSelect = ({ value }: { readonly value: string }) => {
  const [, setBy] = useQueryState('by')
  return (
    <label>
      by
      <select
        aria-label="Columns"
        value={value}
        onChange={({ currentTarget }) =>
          setBy(currentTarget.value === 'stagelet' ? 'stagelet' : undefined)
        }
      >
        <option value="environment">environment</option>
        <option value="stagelet">stagelet</option>
      </select>
    </label>
  )
}

const StageletSelect = ({
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

interface LensChoiceProps {
  readonly stagelets: readonly string[]
  readonly stagelet: string | undefined
  /** What the columns of the lens across are; undefined: there is no choice. */
  readonly across: string | undefined
}

export const LensChoice = ({ stagelets, stagelet, across }: LensChoiceProps) => {
  const lens = useLens()
  return (
    <>
      <LensSwitch />
      {lens === 'stagelet' ? <StageletSelect names={stagelets} value={stagelet} /> : null}
      {lens === 'across' && across !== undefined ? <AcrossSelect value={across} /> : null}
    </>
  )
}
