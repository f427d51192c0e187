// When a store is asked next, and what. Pure.
import { createHash } from 'node:crypto'
import type { StoreFaultKind } from './provider.ts'

export interface KnownFault {
  readonly kind: StoreFaultKind
  readonly message: string
  /** How often in a row. */
  readonly tries: number
  /** ms */
  readonly at: number
  readonly retryAfterMs?: number | undefined
}

export interface StoreStepInput {
  readonly nowMs: number
  readonly everyMs: number
  /** Of this store alone, between 0 and 1: stores of one interval are not asked together. */
  readonly offset: number
  /** When (ms) this began: what went before was done by another process. */
  readonly sinceMs: number
  /** Secrets that may take their value from it. */
  readonly secrets: number
  /** Of them, those of which nothing is known yet. */
  readonly news: number
  /** ms; of the last whole look. */
  readonly lookedAt: number | undefined
  /** The credential was not tried yet. */
  readonly isUntried: boolean
  /** It has a queue of notifications, which is listened to after it was asked whom it takes us for. */
  readonly isNotListening: boolean
  readonly fault: KnownFault | undefined
  /** What somebody asks for now. */
  readonly asked: {
    readonly sync: boolean
    readonly keys: boolean
    readonly check: boolean
    /** A notification of the store names keys that have changed. */
    readonly notifications: boolean
  }
  /** Between 0 and 1; the same until it is asked. */
  readonly random: number
}

export type StoreStep = 'sync' | 'news' | 'keys' | 'notifications' | 'check'

export interface NextStep {
  /** ms; undefined: not before something changes. */
  readonly at: number | undefined
  readonly step: StoreStep
}

/** After so many a credential that is not taken is asked once an hour. */
export const mostLoginTries = 3
export const refusedMs = 3_600_000
const most = { throttledMs: 3_600_000, awayMs: 900_000 }
const baseAwayMs = 10_000
const spreadMs = 30_000

/** Between 0 and 1. */
export const offsetOf = (uid: string): number =>
  createHash('sha256').update(uid).digest().readUInt32BE(0) / 2 ** 32

/** People are told of a credential that stays refused, not of one that was refused for some seconds. */
export const isUnauthorized = (fault: KnownFault | undefined): boolean =>
  fault?.kind === 'Unauthorized' && fault.tries >= mostLoginTries

/** ms */
const afterFault = (fault: KnownFault, { nowMs, everyMs, random }: StoreStepInput): number => {
  const { kind, tries, at, retryAfterMs } = fault
  // The clock was set back.
  if (at > nowMs) return nowMs
  if (isUnauthorized(fault)) return at + refusedMs * (1 + random / 10)
  if (kind === 'Unauthorized') return at + 1_000 * 2 ** tries * (1 + random)
  if (kind === 'Throttled') {
    const doubled = Math.min(everyMs * 2 ** Math.min(tries, 12), most.throttledMs)
    const waitMs = retryAfterMs ?? doubled
    // Never before the time that the store has named.
    return at + waitMs * (1 + random / 10) + random * 1_000
  }
  const away = Math.min(baseAwayMs * 2 ** Math.min(tries - 1, 12), most.awayMs)
  return at + Math.max(1_000, away * random)
}

const whenLooked = (facts: StoreStepInput): number => {
  const { nowMs, everyMs, offset, lookedAt, sinceMs, random } = facts
  // The clock was set back: how old the look is is not known.
  if (lookedAt !== undefined && lookedAt > nowMs) return nowMs
  // Many stores may be late when a controller starts.
  const soon = sinceMs + Math.min(everyMs, spreadMs) * offset
  if (lookedAt === undefined) return soon
  const due = lookedAt + everyMs * (0.9 + 0.2 * ((offset + random) % 1))
  return due > sinceMs ? due : soon
}

const wanted = (facts: StoreStepInput): NextStep => {
  const { nowMs, asked, news, secrets } = facts
  if (asked.sync) return { at: nowMs, step: 'sync' }
  if (asked.keys) return { at: nowMs, step: 'keys' }
  if (news > 0) return { at: nowMs, step: 'news' }
  if (asked.notifications) return { at: nowMs, step: 'notifications' }
  if (facts.isUntried || facts.isNotListening) return { at: nowMs, step: 'check' }
  return { at: secrets === 0 ? undefined : whenLooked(facts), step: 'sync' }
}

export const decideStore = (facts: StoreStepInput): NextStep => {
  const { nowMs, asked, fault } = facts
  if (asked.check && fault?.kind !== 'Throttled') return { at: nowMs, step: 'check' }
  const next = wanted(facts)
  if (fault === undefined || facts.isUntried) return next
  // Somebody is there and waits: one that was away may be back.
  if (asked.sync && fault.kind !== 'Throttled' && fault.kind !== 'Unauthorized') return next
  return { at: afterFault(fault, facts), step: next.at === undefined ? 'check' : next.step }
}
