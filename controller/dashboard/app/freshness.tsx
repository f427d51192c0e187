// Whether the page is live, and since when not.
import { freshness } from '../live/stream.ts'
import { thisSecond } from '../live/clock.ts'
import { clockOf, lengthOf } from '../ui/time.tsx'
import s from './freshness.module.css'

export const FreshnessDot = () => {
  const { phase, signAt } = freshness.value
  if (phase === 'live') {
    const age = Math.max(0, thisSecond.value - signAt)
    return (
      <p
        class={`${s['dot']} ${s['live']}`}
        title={`The controller last gave a sign ${lengthOf(age)} ago`}
      >
        <i />
        <span>
          live<span class={s['age']}> · {lengthOf(age)}</span>
        </span>
      </p>
    )
  }
  return (
    <p class={`${s['dot']} ${s['stale']}`} role="status">
      <i />
      {phase === 'connecting'
        ? 'connecting'
        : signAt === 0
          ? 'not live'
          : `as of ${clockOf(signAt)}`}
    </p>
  )
}
