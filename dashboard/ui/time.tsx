// Times: "since" for states, "ago" for events, and the whole moment in the title.
import { toFineTimestamp } from '../../src/kernel/clock.ts'
import { computed, type ReadonlySignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { thisSecond } from '../api/clock.ts'

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const dayOfYear = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
})
const whole = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long' })
const minuteClock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })

const fine = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
})

/** With milliseconds. */
export const fineMomentOf = (at: number): string => fine.format(at)

export const clockOf = (at: number): string => clock.format(at)

/** `4 s`, `12 min`, `3 h`, `9 d`. */
export const durationText = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** `14:03:20` today, `2 Mar 14:02` this year, `2 Mar 2025` before. */
export const momentOf = (at: number, now: number): string => {
  const [then, today] = [new Date(at), new Date(now)]
  if (then.toDateString() === today.toDateString()) return clock.format(then)
  if (then.getFullYear() === today.getFullYear())
    return `${day.format(then)} ${minuteClock.format(then)}`
  return dayOfYear.format(then)
}

interface Props {
  readonly at: string | number | undefined
}

/** NaN: no moment is text. */
const parsed = (at: string | number | undefined): number =>
  typeof at === 'number' ? at : Date.parse(at ?? '')

const Never = () => <span class="muted">–</span>

/** Changes at midnight. */
export const today = computed(() => new Date(thisSecond.value).setHours(0, 0, 0, 0))

/** Drawn anew only when it says something else. */
const useText = (say: () => string, inputs: readonly unknown[]): ReadonlySignal<string> =>
  useMemo(() => computed(say), inputs)

/** When a state began. */
export const Since = ({ at }: Props) => {
  const ms = parsed(at)
  const moment = useText(() => momentOf(ms, today.value), [ms])
  if (Number.isNaN(ms)) return <Never />
  return (
    <time dateTime={toFineTimestamp(ms)} title={whole.format(ms)}>
      {moment}
    </time>
  )
}

/** `in 3 h`, `2 min overdue`. */
const untilOf = (left: number): string =>
  left <= 0 ? `${durationText(-left)} overdue` : `in ${durationText(left)}`

/** How long until something is due, or for how long it is overdue. */
export const Until = ({ at }: Props) => {
  const ms = parsed(at)
  const text = useText(() => untilOf(ms - thisSecond.value), [ms])
  if (Number.isNaN(ms)) return <Never />
  return (
    <time dateTime={toFineTimestamp(ms)} title={whole.format(ms)}>
      {text}
    </time>
  )
}

const agoOf = (age: number): string => (age < 3000 ? 'now' : `${durationText(age)} ago`)

/** How long ago something happened. */
export const Ago = ({ at }: Props) => {
  const ms = parsed(at)
  const text = useText(() => agoOf(thisSecond.value - ms), [ms])
  if (Number.isNaN(ms)) return <Never />
  return (
    <time dateTime={toFineTimestamp(ms)} title={whole.format(ms)}>
      {text}
    </time>
  )
}
