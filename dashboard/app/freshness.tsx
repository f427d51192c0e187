// Whether the page is live, and since when not.
import { computed } from '@preact/signals'
import { thisSecond } from '../api/clock.ts'
import { freshness } from '../live/stream.ts'
import { clockOf, durationText } from '../ui/time.tsx'
import s from './freshness.module.css'

const phaseNow = computed(() => freshness.value.phase)
/** Signals as texts: a sign that comes draws nothing else anew. */
const age = computed(() => durationText(Math.max(0, thisSecond.value - freshness.value.signAt)))
const lastSign = computed(() => `Last message from the controller: ${age.value} ago`)

export const FreshnessDot = () => {
  const phase = phaseNow.value
  if (phase === 'live')
    return (
      <p class={`${s['dot']} ${s['live']}`} title={lastSign}>
        <i />
        <span>
          live<span class={s['age']}> · {age}</span>
        </span>
      </p>
    )
  const { signAt } = freshness.value
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
