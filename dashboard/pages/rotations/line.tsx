// The seven steps of a rotation as a line. What is done, where it stands, and what is to come.
import type { Rotation } from '../../../src/rest/types.ts'
import { Since } from '../../ui/time.tsx'
import { lineOf, type Step } from './data.ts'
import s from './rotations.module.css'

const marks: Readonly<Record<Step['state'], string>> = {
  done: '✓',
  skipped: '–',
  now: '◐',
  blocked: '!',
  next: '',
}
const words: Readonly<Record<Step['state'], string>> = {
  done: 'done',
  skipped: 'not done',
  now: 'now',
  blocked: 'waits',
  next: 'to come',
}

export const Line = ({ rotation }: { readonly rotation: Rotation }) => (
  <ol class={s['line']} aria-label="Steps">
    {lineOf(rotation).map(({ name, does, state }) => {
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
