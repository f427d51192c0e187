// What is asked of a store in one step, and what its answers mean.
import type { Clock } from '../../src/kernel/clock.ts'
import { toTimestamp } from '../../src/kernel/clock.ts'
import { no } from '../reconcilers/verdict.ts'
import type { Store } from '../../src/store/store.ts'
import { everyMsOf } from '../../src/resources/secret-store.ts'
import { notAllowed } from './allowed.ts'
import { decideFetched, decideRemoval, decideSeen, type Outcome } from './decide-secret.ts'
import type { StoreStep } from './decide-store.ts'
import type { Absence, Fetched, Ref, StoreProvider } from './provider.ts'
import { askedOf, placeOf, type StoreObject, type StoreSecret } from './store-secret.ts'
import { removeSecrets, writeOutcomes } from './write-outcomes.ts'

interface StepDeps {
  readonly store: Store
  readonly clock: Clock
  readonly provider: StoreProvider
  readonly signal: AbortSignal
}

interface StepFacts {
  readonly of: StoreObject
  readonly allowed: readonly StoreSecret[]
  readonly news: readonly StoreSecret[]
  readonly requests: { readonly keys: readonly string[] }
  readonly kind: StoreStep
  readonly cursor: string | undefined
  readonly isBraked: boolean
  readonly isResumed: boolean
}

export interface StepResult {
  /** Every secret was looked at. */
  readonly isWhole: boolean
  readonly cursor: string | undefined
  readonly lagMs: number | undefined
  readonly isBraked: boolean
}

/** Why nothing is fetched for the secret, and what is written of it; undefined: it may be. */
export const barred = (
  { spec }: StoreObject,
  secret: StoreSecret,
): { readonly outcome: Outcome | undefined } | undefined => {
  const { project, external, known, fresh: before } = secret
  const why = notAllowed(spec, { project, key: external.key })
  if (why === undefined) return undefined
  const fresh = no('NotAllowed', why)
  const same = before?.reason === fresh.reason && before.message === fresh.message
  return { outcome: same ? undefined : { secret, known, fresh } }
}

export const stale = (
  { ref }: StoreObject,
  secrets: readonly StoreSecret[],
  lookedAt: number,
): Outcome[] => {
  const message = `store "${ref.name}" was not looked at since ${toTimestamp(lookedAt)}; the value is as it was then, and is served`
  return secrets
    .filter(({ fresh }) => fresh?.reason === 'Checked')
    .map((secret) => ({ secret, known: secret.known, fresh: no('Stale', message) }))
}

/** Secrets by what is asked of the store for them: equal refs are asked once. */
const byRef = (secrets: readonly StoreSecret[]): Map<Ref, StoreSecret[]> => {
  const refs = new Map<string, Ref>()
  const grouped = new Map<Ref, StoreSecret[]>()
  for (const secret of secrets) {
    const { key, version } = secret.external
    const asked = askedOf(secret.external)
    const ref = refs.get(asked) ?? { key, ...(version === undefined ? {} : { version }) }
    refs.set(asked, ref)
    const group = grouped.get(ref)
    if (group === undefined) grouped.set(ref, [secret])
    else group.push(secret)
  }
  return grouped
}

type Answers = Map<Ref, Fetched | Absence>

/** Asks in batches, so many at a time. What has come when one fails is kept in `answers`. */
const fetchAll = async (
  { provider, signal }: StepDeps,
  refs: readonly Ref[],
  answers: Answers,
): Promise<void> => {
  const { batch, parallel } = provider.limits
  const batches: Ref[][] = []
  for (let at = 0; at < refs.length; at += batch) batches.push(refs.slice(at, at + batch))
  const work = batches.values()
  const worker = async (): Promise<void> => {
    for (const part of work)
      for (const [ref, answer] of await provider.fetch(part, signal)) answers.set(ref, answer)
  }
  const workers = Array.from({ length: Math.min(parallel, batches.length) }, worker)
  const failed = (await Promise.allSettled(workers)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

/** Fetches, and writes down what came, also when the store fails in the middle of it. */
const fetchAndWrite = async (
  deps: StepDeps,
  of: StoreObject,
  groups: ReadonlyMap<Ref, readonly StoreSecret[]>,
  seen: readonly Outcome[] = [],
): Promise<void> => {
  const answers: Answers = new Map()
  try {
    await fetchAll(deps, [...groups.keys()], answers)
  } finally {
    const nowMs = deps.clock.now()
    const fetched = [...answers].flatMap(([ref, answer]) =>
      (groups.get(ref) ?? []).flatMap(
        (secret) => decideFetched(secret, answer, { nowMs, place: placeOf(of, secret) }) ?? [],
      ),
    )
    if (!deps.signal.aborted) await writeOutcomes(deps, of, [...seen, ...fetched])
  }
}

const look = async (deps: StepDeps, facts: StepFacts): Promise<StepResult> => {
  const { provider, clock, signal } = deps
  const { of, allowed } = facts
  const groups = byRef(allowed)
  const { versions, cursor, lagMs } = await provider.look([...groups.keys()], facts.cursor, signal)
  const nowMs = clock.now()
  const toFetch = new Map<Ref, StoreSecret[]>()
  const outcomes: Outcome[] = []
  const missing: StoreSecret[] = []
  for (const [ref, secrets] of groups) {
    const seen = versions.get(ref)
    if (seen === undefined) continue
    for (const secret of secrets) {
      if ('absent' in seen && seen.absent === 'missing') missing.push(secret)
      const said = decideSeen(secret, seen, { nowMs, place: placeOf(of, secret) })
      if (said === 'fetch') toFetch.set(ref, [...(toFetch.get(ref) ?? []), secret])
      else if (said !== undefined) outcomes.push(said)
    }
  }
  await fetchAndWrite(deps, of, toFetch, outcomes)
  const isBraked = await removeMissing(deps, facts, missing)
  return { isWhole: true, cursor, lagMs, isBraked }
}

const removeMissing = async (
  deps: StepDeps,
  { of, allowed, isBraked: before, isResumed }: StepFacts,
  missing: readonly StoreSecret[],
): Promise<boolean> => {
  if (of.spec.onMissing !== 'Remove') return false
  const { remove, isBraked } = decideRemoval(missing, {
    ...{ all: allowed.length, everyMs: everyMsOf(of.spec), nowMs: deps.clock.now() },
    ...{ isBraked: before, isResumed },
  })
  if (remove.length === 0) return isBraked
  // What is missing is missing only for somebody whom the store knows.
  await deps.provider.whoAmI(deps.signal)
  await removeSecrets(deps, of, remove)
  return isBraked
}

export const step = async (deps: StepDeps, facts: StepFacts): Promise<StepResult> => {
  const { of, allowed, news, requests, kind, cursor, isBraked } = facts
  if (kind === 'look') return look(deps, facts)
  const named =
    kind === 'keys' ? allowed.filter(({ external }) => requests.keys.includes(external.key)) : []
  const asked = kind === 'check' ? [] : [...new Set([...named, ...news])]
  await fetchAndWrite(deps, of, byRef(asked))
  return {
    isWhole: asked.length > 0 && asked.length === allowed.length,
    cursor,
    lagMs: undefined,
    isBraked,
  }
}
