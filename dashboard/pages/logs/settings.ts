// How this person reads logs; kept in the browser's storage. What is searched for is not kept.
import { signal } from '@preact/signals'

interface LogSettings {
  /** Number of last lines of each container at the start. */
  readonly tail: number
  readonly times: boolean
  /** Chosen services by id of the stagelet; absent: all. */
  readonly services: Readonly<Record<string, readonly string[]>>
}

const key = 'stagely.logs'
const standard: LogSettings = { tail: 200, times: true, services: {} }
const mostStagelets = 50

const stored = (): LogSettings => {
  try {
    return {
      ...standard,
      ...(JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<LogSettings>),
    }
  } catch {
    return standard
  }
}

export const logSettings = signal<LogSettings>(stored())

export const setLogSettings = (change: Partial<LogSettings>): void => {
  logSettings.value = { ...logSettings.value, ...change }
  try {
    localStorage.setItem(key, JSON.stringify(logSettings.value))
  } catch {
    // Storage may be refused: the choice holds for this page.
  }
}

/** Remembers the choice of services of the stagelets that were read last; undefined: all services. */
export const rememberServices = (stagelet: string, chosen: readonly string[] | undefined): void => {
  const { [stagelet]: _, ...others } = logSettings.peek().services
  const next = chosen === undefined ? others : { ...others, [stagelet]: chosen }
  setLogSettings({ services: Object.fromEntries(Object.entries(next).slice(-mostStagelets)) })
}
