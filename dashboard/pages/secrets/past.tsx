// The time machine: which revision is shown, and the way back to it.
import { useQueryState } from '../../session/team.ts'
import { someOf, type Failure } from '../../live/known.ts'
import { Button } from '../../ui/button.tsx'
import { FailureBox } from '../../ui/when-known.tsx'
import { Ago } from '../../ui/time.tsx'
import { useRevisions } from '../revisions/data.ts'
import { GoBack } from '../revisions/go-back.tsx'
import type { ProjectPlace } from '../project/data.ts'
import s from './places/lenses.module.css'

/** The revision of the address; undefined: now. */
export const useAt = (): number | undefined => {
  const [at] = useQueryState('at')
  return at !== undefined && /^\d{1,15}$/.test(at) ? Number(at) : undefined
}

interface Props {
  readonly place: ProjectPlace
  readonly at: number
  readonly newest: number | undefined
  readonly failure: Failure | undefined
}

export const PastBar = ({ place, at, newest, failure }: Props) => {
  const { team, project } = place
  const [, setAt] = useQueryState('at')
  // The oldest first, as a slider goes.
  const revisions = someOf(useRevisions(`${team}/${project}`, newest)).toReversed()
  const index = revisions.findIndex(({ revision }) => revision === at)
  const found = revisions[index]
  const choose = (to: number): void => {
    const chosen = revisions[to]
    if (chosen !== undefined) setAt(String(chosen.revision))
  }
  return (
    <section class={s['past']} aria-label="Earlier revision">
      <label>
        Revision
        <select value={String(at)} onChange={(event) => setAt(event.currentTarget.value)}>
          {found === undefined ? <option value={String(at)}>r{at}</option> : null}
          {revisions.toReversed().map(({ revision }) => (
            <option value={String(revision)}>
              r{revision}
              {revision === newest ? ', the newest' : ''}
            </option>
          ))}
        </select>
      </label>
      {index < 0 ? null : (
        <input
          type="range"
          aria-label="Revision"
          aria-valuetext={`revision ${at}`}
          min={0}
          max={revisions.length - 1}
          value={index}
          onInput={(event) => choose(Number(event.currentTarget.value))}
        />
      )}
      <p>
        {found === undefined ? (
          ''
        ) : (
          <>
            {found.by.join(', ')} · <Ago at={found.closed_at} />
            {found.note === undefined ? '' : ` · ${found.note}`}
          </>
        )}
      </p>
      <GoBack small place={place} newest={newest ?? at} revision={at} />
      <Button small onPress={() => setAt(undefined)}>
        Show current
      </Button>
      {failure === undefined ? null : <FailureBox failure={failure} />}
    </section>
  )
}
