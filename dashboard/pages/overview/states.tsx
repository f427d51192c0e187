// How many stagelets are in which state.
import type { Stagelet } from '../../../src/generated/rest-types.ts'
import { countsOf } from '../../live/states.ts'
import { Count, StateText } from '../../ui/state.tsx'
import s from '../overview.module.css'

export const States = ({
  stagelets,
  words,
}: {
  readonly stagelets: readonly Stagelet[]
  readonly words?: boolean
}) => {
  const counts = countsOf(stagelets)
  if (counts.length === 0) return words === true ? null : <span class="muted">none</span>
  if (words === true)
    return (
      <span class={s['states']}>
        {counts.map(({ kind, word, count }) => (
          <StateText key={word} kind={kind}>
            {count} {word.toLowerCase()}
          </StateText>
        ))}
      </span>
    )
  return (
    <span class={s['states']}>
      {counts.map(({ kind, word, count }) => (
        <Count key={word} kind={kind} count={count} word={word} />
      ))}
    </span>
  )
}
