// The lives of the keys that protect a project. Pure.
import type { ComplianceReport, ReportedKey } from '../../src/audit/compliance.ts'
import { defined } from '../../src/kernel/defined.ts'
import type { AuditFact, ComplianceFacts } from '../../src/store/keys/compliance-facts.ts'
import { isWithin, lifetimeOf, type Life, type Limit } from './lifetimes.ts'

interface KeyLife extends Life {
  readonly kind: ReportedKey['kind']
  readonly name: string
}

const msIn = ({ detail }: AuditFact, name: string): number | undefined => {
  const text = detail[name]
  return typeof text === 'string' ? Date.parse(text) : undefined
}

const dataKeys = ({ dataKeys: living, keys }: ComplianceFacts): KeyLife[] => {
  const rows = keys.filter(({ kind }) => kind === 'DataKey')
  const lives = new Map<string, KeyLife>()
  const add = (name: string, life: Partial<Life>): void => {
    const before = lives.get(name) ?? { since: undefined, until: undefined, by: undefined }
    lives.set(name, { ...before, ...defined(life), kind: 'data', name })
  }
  for (const row of rows) {
    if (row.action === 'create') add(row.name, { since: Date.parse(row.at), by: row.by })
    else
      add(row.name, { since: msIn(row, 'since'), until: msIn(row, 'until') ?? Date.parse(row.at) })
  }
  for (const { id, since, until } of living) add(id, { since, until: until ?? undefined })
  return [...lives.values()].sort((a, b) => (a.since ?? 0) - (b.since ?? 0))
}

/** Each is in use until the next. */
const succession = (
  kind: KeyLife['kind'],
  rows: readonly { readonly name: string; readonly at: number; readonly by: string | undefined }[],
): KeyLife[] =>
  rows.map(({ name, at, by }, i) => ({ kind, name, since: at, by, until: rows[i + 1]?.at }))

const textIn = (row: AuditFact, name: string): string => {
  const text = row.detail[name]
  return typeof text === 'string' ? text : ''
}

/** `by` is the name of the key that wraps those of the project; undefined: the master key. */
const wrappingKeys = ({ keys, ages }: ComplianceFacts, by: string | undefined): KeyLife[] => {
  const own = keys.filter(({ kind, name, action }) =>
    kind !== 'Keys'
      ? false
      : by === undefined
        ? action === 'use master key' || (action === 'use key' && name === 'master')
        : action === 'use key' && name === by,
  )
  const since = by === undefined ? ages.masterSince : ages.named.get(by)
  const kind = by === undefined ? 'master' : 'project'
  const rows = own.map((row) => ({
    name: [by ?? textIn(row, 'provider'), textIn(row, 'key')].filter(Boolean).join(' '),
    at: Date.parse(row.at),
    by: row.by,
  }))
  const name = rows.at(-1)?.name ?? by ?? 'master'
  const isKnown = rows.length > 0 || since === undefined
  return succession(kind, isKnown ? rows : [{ name, at: since, by: undefined }])
}

const sealingKeys = ({ keys, ages }: ComplianceFacts): KeyLife[] => {
  const rows = keys
    .filter(({ kind }) => kind === 'SealingKey')
    .map(({ name, at, by }) => ({ name, at: Date.parse(at), by }))
  const since = ages.sealingSince
  const isKnown = rows.length > 0 || since === undefined
  return succession('sealing', isKnown ? rows : [{ name: '', at: since, by: undefined }])
}

interface KeyRules {
  /** Of the project's keys. */
  readonly limits: readonly Limit[]
  /** Of the controller (ms): of the key that seals values for manifests. */
  readonly usualMs: number
  readonly wrappedBy: string | undefined
}

export const reportKeys = (
  facts: ComplianceFacts,
  { limits, usualMs, wrappedBy }: KeyRules,
  { sinceMs, nowMs }: { sinceMs: number; nowMs: number },
): ReportedKey[] =>
  [...dataKeys(facts), ...wrappingKeys(facts, wrappedBy), ...sealingKeys(facts)]
    .filter((life) => isWithin(life, sinceMs))
    .map(({ kind, name, ...life }) => ({
      kind,
      name,
      ...lifetimeOf(
        life,
        kind === 'sealing' ? [{ fromMs: -Infinity, everyMs: usualMs }] : limits,
        nowMs,
      ),
    }))

export const reportRotations = (
  { keys }: ComplianceFacts,
  sinceMs: number,
): ComplianceReport['rotations'] =>
  keys
    .filter(({ kind, action, at }) => {
      const isEnd = kind === 'DataKey' && action === 'destroy'
      return !isEnd && Date.parse(at) >= sinceMs
    })
    .map(({ at, by, action, kind, name }) => ({
      at,
      by,
      what: `${action} (${kind})`,
      ...(kind !== 'Project' && { key: name }),
    }))
