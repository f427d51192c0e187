// When the window of a schedule is open, in the time zone that it names. Pure; knows no cron.
import { durationMs } from '../../resources/duration.ts'
import type { RotationSchedule, RotationWindow } from './schema.ts'

const minuteMs = 60_000
const dayMinutes = 1440
const names = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const

export const isTimezone = (timeZone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone })
    return true
  } catch {
    return false
  }
}

const minutesOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5))

const formats = new Map<string, Intl.DateTimeFormat>()
const formatOf = (timeZone: string): Intl.DateTimeFormat => {
  const cached = formats.get(timeZone)
  if (cached !== undefined) return cached
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
  })
  formats.set(timeZone, format)
  return format
}

interface Local {
  readonly day: number
  readonly minute: number
}

const localAt = ({ timezone = 'UTC' }: RotationWindow, ms: number): Local => {
  const parts = new Map(
    formatOf(timezone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, value]),
  )
  const day = names.findIndex((name) => name === parts.get('weekday'))
  return { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) }
}

const opensOn = ({ days = [...names] }: RotationWindow, day: number): boolean =>
  days.includes(names[(day + 7) % 7] ?? 'Mon')

export const isWindowOpen = (window: RotationWindow, ms: number): boolean => {
  const { day, minute } = localAt(window, ms)
  const [from, to] = [minutesOf(window.from), minutesOf(window.to)]
  if (from < to) return opensOn(window, day) && minute >= from && minute < to
  return (opensOn(window, day) && minute >= from) || (opensOn(window, day - 1) && minute < to)
}

/** ms; 0: it never opens. */
export const windowLength = ({ from, to }: RotationWindow): number =>
  ((minutesOf(to) - minutesOf(from) + dayMinutes) % dayMinutes) * minuteMs

/** The first moment (ms) at or after `ms` at which the window opens, or `ms` itself where it is open then. */
export const openingAt = (window: RotationWindow, ms: number): number => {
  let moment = ms
  // Hour by hour, since clocks are set: an opening may be earlier or later than the minutes say.
  for (let steps = 0; steps < 24 * 16 && !isWindowOpen(window, moment); steps += 1) {
    const { minute } = localAt(window, moment)
    const left = (minutesOf(window.from) - minute + dayMinutes) % dayMinutes || dayMinutes
    moment = Math.floor(moment / minuteMs) * minuteMs + Math.min(left, 60) * minuteMs
  }
  return moment
}

/** The moment (ms) at which the window that is open at `ms` was opened. */
const openedAt = (window: RotationWindow, ms: number): number => {
  const { minute } = localAt(window, ms)
  const since = (minute - minutesOf(window.from) + dayMinutes) % dayMinutes
  return Math.floor(ms / minuteMs) * minuteMs - since * minuteMs
}

/** A part of 1 for each uid, always the same: many that are due together start one after the other. */
export const shareOf = (uid: string): number =>
  (Number.parseInt(uid.replaceAll('-', '').slice(0, 8), 16) || 0) / 0x1_0000_0000

/** When (ms) a Rotation that is due at `dueMs` starts: within a window, at its own place in it. */
export const startAt = (
  { window }: RotationSchedule,
  { uid, dueMs, nowMs }: { readonly uid: string; readonly dueMs: number; readonly nowMs: number },
): number => {
  if (window === undefined) return dueMs
  const placeIn = (openMs: number): number =>
    openedAt(window, openMs) + Math.floor(shareOf(uid) * windowLength(window))
  // A window that is missed is the next one.
  const earliest = Math.max(dueMs, nowMs)
  const opening = openingAt(window, earliest)
  const place = placeIn(opening)
  if (place >= earliest || isWindowOpen(window, earliest)) return Math.max(place, earliest)
  return placeIn(openingAt(window, opening + windowLength(window)))
}

/** When (ms) the next credential is due. */
export const dueAt = ({ every }: RotationSchedule, lastMs: number): number =>
  lastMs + durationMs(every)
