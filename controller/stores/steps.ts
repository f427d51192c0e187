// What is asked of a store in one step, and what its answers mean.
import { defined } from '../../src/kernel/defined.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { toTimestamp } from '../../src/kernel/clock.ts'
import { no } from '../reconcilers/verdict.ts'
import type { Store } from '../../src/store/store.ts'
import { everyMsOf } from '../../src/kinds/secret-store/schema.ts'
import { notAllowed } from './allowed.ts'
import { decideFetched, decideRemoval, decideSeen, type SecretOutcome } from './decide-secret.ts'
import type { StoreStep } from './decide-store.ts'
import { createHolder, type Held } from './held-values.ts'
import type { Absence, Fetched, Ref, StoreProvider } from './provider.ts'
import { askedOf, placeInStore, type StoreObject, type StoreSecret } from './store-secret.ts'
import { removeSecrets, writeOutcomes, type OutcomeWriteDeps } from './write-outcomes.ts'

interface StepDeps extends OutcomeWriteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly provider: StoreProvider
  readonly signal: AbortSignal
}

interface StepFacts {
  readonly secretStore: StoreObject
  readonly allowed: readonly StoreSecret[]
  readonly news: readonly StoreSecret[]
  readonly requests: { readonly keys: readonly string[] }
  /** Keys that notifications of the store name. */
  readonly notifiedKeys: readonly string[]
  readonly kind: StoreStep
  readonly cursor: string | undefined
  readonly areDeletionsHeld: boolean
  readonly isResumed: boolean
}

export interface StepResult {
  /** Every secret was looked at. */
  readonly isWhole: boolean
  /** What was asked for may be newer than what another step has written meanwhile: it is to be asked again. */
  readonly isOvertaken: boolean
  /** What a look has told of the store. */
  readonly remembered?: {
    readonly cursor: string | undefined
    readonly lagMs: number
    readonly areDeletionsHeld: boolean
  }
}

/** So many values (bytes) are held at once: a look that brings more writes more than one change set. */
const mostHeld = 32 * 1024 * 1024
/** So few keys that a notification names are looked at first. Of more the values are fetched: a list of them may lag. */
const few = 10

/** Why nothing is fetched for the secret, and what is written of it; undefined: it may be. */
export const whyNotAllowed = (
  { spec }: StoreObject,
  secret: StoreSecret,
): { readonly outcome: SecretOutcome<never> | undefined } | undefined => {
  const { project, external, last, fresh: before } = secret
  const why = notAllowed(spec, {
    project,
    key: external.key,
    environments: secret.spec.environments,
  })
  if (why === undefined) return undefined
  const fresh = no('NotAllowed', why)
  const same = before?.reason === fresh.reason && before.message === fresh.message
  return { outcome: same ? undefined : { secret, last, fresh } }
}

export const stale = (
  { ref }: StoreObject,
  secrets: readonly StoreSecret[],
  lookedAt: number,
): SecretOutcome<never>[] => {
  const message = `store "${ref.name}" was not looked at since ${toTimestamp(lookedAt)}; the value is as it was then, and is served`
  return secrets
    .filter(({ fresh }) => fresh?.reason === 'Checked')
    .map((secret) => ({ secret, last: secret.last, fresh: no('Stale', message) }))
}

/** Secrets by what is asked of the store for them: equal refs are asked once. */
const byRef = (secrets: readonly StoreSecret[]): Map<Ref, StoreSecret[]> => {
  const refs = new Map<string, Ref>()
  const grouped = new Map<Ref, StoreSecret[]>()
  for (const secret of secrets) {
    const { key, version } = secret.external
    const asked = askedOf(secret.external)
    const ref = refs.get(asked) ?? { key, ...defined({ version }) }
    refs.set(asked, ref)
    const group = grouped.get(ref)
    if (group === undefined) grouped.set(ref, [secret])
    else group.push(secret)
  }
  return grouped
}

/** Asks in batches, so many at a time. The first fault ends it, after what is on its way. */
const fetchAll = async (
  { provider, signal }: StepDeps,
  refs: readonly Ref[],
  take: (ref: Ref, answer: Fetched | Absence) => Promise<void>,
): Promise<void> => {
  const { batch, parallel } = provider.limits
  const batches: Ref[][] = []
  for (let at = 0; at < refs.length; at += batch) batches.push(refs.slice(at, at + batch))
  const work = batches.values()
  const worker = async (): Promise<void> => {
    for (const part of work) {
      const answers = await provider.fetch(part, signal)
      for (const [ref, answer] of answers) await take(ref, answer)
      // Refs that name one secret may have one answer.
      for (const answer of answers.values()) if ('value' in answer) answer.value.fill(0)
    }
  }
  const workers = Array.from({ length: Math.min(parallel, batches.length) }, worker)
  const failed = (await Promise.allSettled(workers)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

/**
 * Fetches, and writes down what came, also when the store fails in the middle of it. True: another step has
 * written of a secret meanwhile, and what came here was dropped.
 */
const fetchAndWrite = async (
  deps: StepDeps,
  secretStore: StoreObject,
  groups: ReadonlyMap<Ref, readonly StoreSecret[]>,
  outcomesSoFar: readonly SecretOutcome<never>[] = [],
): Promise<boolean> => {
  const hold = createHolder()
  const outcomes: SecretOutcome<Held>[] = [...outcomesSoFar]
  let bytes = 0
  let isOvertaken = false
  const write = async (): Promise<void> => {
    bytes = 0
    if (deps.signal.aborted) return
    if (await writeOutcomes(deps, secretStore, outcomes.splice(0))) isOvertaken = true
  }
  const take = async (ref: Ref, answer: Fetched | Absence): Promise<void> => {
    const nowMs = deps.clock.now()
    for (const secret of groups.get(ref) ?? []) {
      const outcome = decideFetched(secret, answer, {
        nowMs,
        place: placeInStore(secretStore, secret),
      })
      if (outcome === undefined) continue
      const { value, ...said } = outcome
      bytes += value?.length ?? 0
      outcomes.push(value === undefined ? said : { ...said, value: hold(value) })
    }
    if (bytes > mostHeld) await write()
  }
  try {
    await fetchAll(deps, [...groups.keys()], take)
  } finally {
    await write()
  }
  // What was not written was not looked at.
  deps.signal.throwIfAborted()
  return isOvertaken
}

interface SyncResult {
  readonly isOvertaken: boolean
  readonly cursor: string | undefined
  readonly lagMs: number
  readonly missing: readonly StoreSecret[]
}

/** Asks which versions there are, and fetches those that are new. */
const syncSecrets = async (
  deps: StepDeps,
  secretStore: StoreObject,
  secrets: readonly StoreSecret[],
  before?: string,
): Promise<SyncResult> => {
  const { provider, clock, signal } = deps
  const groups = byRef(secrets)
  const { versions, cursor, lagMs } = await provider.readVersions(
    [...groups.keys()],
    before,
    signal,
  )
  const nowMs = clock.now()
  const toFetch = new Map<Ref, StoreSecret[]>()
  const outcomes: SecretOutcome<never>[] = []
  const missing: StoreSecret[] = []
  for (const [ref, group] of groups) {
    const found = versions.get(ref)
    if (found === undefined) continue
    for (const secret of group) {
      if ('absent' in found && found.absent === 'missing') missing.push(secret)
      const said = decideSeen(secret, found, { nowMs, place: placeInStore(secretStore, secret) })
      if (said === 'fetch') toFetch.set(ref, [...(toFetch.get(ref) ?? []), secret])
      else if (said !== undefined) outcomes.push(said)
    }
  }
  const isOvertaken = await fetchAndWrite(deps, secretStore, toFetch, outcomes)
  return { cursor, lagMs, missing, isOvertaken }
}

const sync = async (deps: StepDeps, facts: StepFacts): Promise<StepResult> => {
  const { secretStore, allowed } = facts
  const { cursor, lagMs, missing } = await syncSecrets(deps, secretStore, allowed, facts.cursor)
  const areDeletionsHeld = await removeMissing(deps, facts, missing)
  // A step beside the look began after it: what that one has written is no older than the look.
  return { isWhole: true, isOvertaken: false, remembered: { cursor, lagMs, areDeletionsHeld } }
}

const removeMissing = async (
  deps: StepDeps,
  { secretStore, allowed, areDeletionsHeld: before, isResumed }: StepFacts,
  missing: readonly StoreSecret[],
): Promise<boolean> => {
  if (secretStore.spec.onMissing !== 'Remove') return false
  const { remove, areDeletionsHeld } = decideRemoval(missing, {
    all: allowed.length,
    everyMs: everyMsOf(secretStore.spec),
    nowMs: deps.clock.now(),
    areDeletionsHeld: before,
    isResumed,
  })
  if (remove.length === 0) return areDeletionsHeld
  // What is missing is missing only for somebody whom the store knows.
  await deps.provider.whoAmI(deps.signal)
  await removeSecrets(deps, secretStore, remove)
  return areDeletionsHeld
}

export const step = async (deps: StepDeps, facts: StepFacts): Promise<StepResult> => {
  const { secretStore, allowed, news, requests, kind } = facts
  if (kind === 'sync') return sync(deps, facts)
  const named = new Set(
    kind === 'keys' ? requests.keys : kind === 'notifications' ? facts.notifiedKeys : [],
  )
  const asked = allowed.filter(({ external }) => named.has(external.key))
  if (kind === 'notifications' && byRef(asked).size <= few) {
    const isOvertaken =
      asked.length > 0 && (await syncSecrets(deps, secretStore, asked)).isOvertaken
    return { isWhole: false, isOvertaken }
  }
  const all = kind === 'check' ? [] : [...new Set([...asked, ...news])]
  const isOvertaken = await fetchAndWrite(deps, secretStore, byRef(all))
  return { isWhole: all.length > 0 && all.length === allowed.length && !isOvertaken, isOvertaken }
}
