// Messages of failures end with the last lines of a service's log. Whoever may read no logs reads them without.
import { isRecord } from '../../kernel/record.ts'
import type { KubeObject } from '../../resources/meta.ts'

const marker = 'last log lines:\n'

export const withoutLogLines = (text: string): string => {
  const at = text.indexOf(marker)
  return at < 0 ? text : `${text.slice(0, at)}its last log lines need the right to read logs`
}

const withoutLines = (value: unknown): unknown => {
  if (typeof value === 'string') return withoutLogLines(value)
  if (Array.isArray(value)) return value.map(withoutLines)
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, withoutLines(of)]))
}

/** Kinds whose status or message may tell of a failure. */
const telling: readonly string[] = ['Stagelet', 'Project', 'Rotation', 'Event']

/** One for all readers of an object that never changes. */
const told = new WeakMap<KubeObject, KubeObject>()

export const withoutLogs = (object: KubeObject): KubeObject => {
  if (!telling.includes(object.kind)) return object
  const before = told.get(object)
  if (before !== undefined) return before
  const hasLines = JSON.stringify(object).includes(JSON.stringify(marker).slice(1, -1))
  const shown = hasLines ? (withoutLines(object) as KubeObject) : object
  told.set(object, shown)
  return shown
}
