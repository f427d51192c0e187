// The seven steps of a rotation: which are done, which one runs, and which are to come.
import type { Rotation } from '../../../src/generated/rest-types.ts'
import { Since } from '../../ui/time.tsx'
import { stepsOf, type ShownStep } from './data.ts'
import s from './rotations.module.css'

const marks: Readonly<Record<ShownStep['state'], string>> = {
  done: '✓',
  skipped: '–',
  now: '◐',
  blocked: '!',
  next: '',
}
const words: Readonly<Record<ShownStep['state'], string>> = {
  done: 'done',
  skipped: 'skipped',
  now: 'now',
  blocked: 'blocked',
  next: 'pending',
}

export const RotationSteps = ({ rotation }: { readonly rotation: Rotation }) => (
  <ol class={s['line']} aria-label="Steps">
    {stepsOf(rotation).map(({ name, does, state }) => {
      const isHere = state === 'now' || state === 'blocked'
      return (
        <li class={s[state]} aria-current={isHere ? 'step' : undefined} title={does}>
          <i aria-hidden="true">{marks[state]}</i>
          <b>{name}</b>
          <small>
            {isHere && rotation.phase_since !== undefined ? (
              <>
                since <Since at={rotation.phase_since} />
              </>
            ) : (
              words[state]
            )}
          </small>
        </li>
      )
    })}
  </ol>
)
