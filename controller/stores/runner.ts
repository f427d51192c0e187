// One store: looks at it in its time, fetches what has changed, and writes down what came of it. See ADR 0064.
import type { Clock } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { linkedAbort } from '../../src/kernel/async/linked-abort.ts'
import { keyOf, refOf, type KubeObject } from '../../src/resources/meta.ts'
import { everyMsOf, type SecretStoreStatus } from '../../src/kinds/secret-store/schema.ts'
import { done, waitFor, type ReconcileOutcome } from '../../src/runtime/control-loop.ts'
import { startSingleLoop, type SingleLoop, type SingleWork } from '../../src/runtime/single-loop.ts'
import type { Store } from '../../src/store/store.ts'
import type { Budget } from './budget.ts'
import { createBudgets, defaultCalls, type Budgets } from './budgets.ts'
import { StoreConnection, type ProviderOpener } from './connection.ts'
import {
  decideStore,
  isUnauthorized,
  offsetOf,
  type NextStep,
  type StoreStep,
} from './decide-store.ts'
import { gatherStoreFacts, urgentOf, type StoreFacts, type ReadStore } from './facts.ts'
import { NotificationListener } from './notifications/notification-listener.ts'
import { StoreFault, type StoreProvider } from './provider.ts'
import { rememberedOf, type Remembered } from './remembered.ts'
import type { MeasuredStore } from './measured.ts'
import { isStaleIn, isWorthWriting, staleAtOf, statusAfter } from './store-status.ts'
import { whyNotAllowed, stale, step } from './steps.ts'
import {
  storeStale,
  storeUnauthorized,
  writeOutcomes,
  writeStatus,
  type OutcomeWriteDeps,
} from './write-outcomes.ts'

interface RunnerDeps {
  readonly store: Store
  readonly open: ProviderOpener
  readonly budgets?: Budgets | undefined
  readonly clock: Clock
  readonly log: Logger
  /** As the feed has them now; undefined: the store is gone. */
  readonly read: () => ReadStore | undefined
  readonly onWritten?: (secret: KubeObject) => void
  readonly onMeasured?: ((measured: MeasuredStore) => void) | undefined
  readonly random?: () => number
  readonly inOne?: OutcomeWriteDeps['inOne']
}

/** New secrets come in bursts: an apply writes one after the other. */
const settleMs = 300
const leastRestMs = 20
const mostRestMs = 2 ** 31 - 1

export class Runner {
  readonly uid: string
  readonly #deps: RunnerDeps & { readonly signal: AbortSignal }
  readonly #stopping = new AbortController()
  readonly #main: SingleLoop
  /** Runs what is urgent beside a step that takes long. */
  readonly #beside: SingleLoop
  readonly #budget: Budget
  readonly #releaseBudget: () => void
  readonly #connection: StoreConnection
  readonly #sinceMs: number
  readonly #remembered: Remembered
  readonly #notifications: NotificationListener
  /** As it was written last, also where the feed has not told of it yet. */
  #status: SecretStoreStatus
  #writtenAt = 0
  #isToldRefused: boolean
  #random: number
  /** Secrets (by uid) that a long step is under way for; undefined: no step is. */
  #covered: Set<string> | undefined
  /** What runs beside the long step. */
  #serving: Promise<unknown> = Promise.resolve()

  constructor(store: KubeObject, deps: RunnerDeps) {
    this.#deps = { ...deps, signal: this.#stopping.signal }
    const { clock } = deps
    this.uid = store.metadata.uid ?? ''
    this.#sinceMs = clock.now()
    this.#status = store.status ?? {}
    this.#remembered = rememberedOf(this.#status, clock.now())
    this.#isToldRefused = isUnauthorized(this.#remembered.fault)
    this.#random = this.#roll()
    const { budget, release } = (deps.budgets ?? createBudgets(clock)).take(this.uid)
    this.#budget = budget
    this.#releaseBudget = release
    this.#connection = new StoreConnection(deps)
    this.#notifications = new NotificationListener({
      clock,
      log: deps.log,
      random: () => this.#roll(),
      onNotifications: () => {
        this.#main.runNow()
        this.#beside.runNow()
      },
      onNews: () => this.#main.schedule(),
    })
    const log = deps.log.child({ store: keyOf(refOf(store)) })
    const loopOf = (name: string, run: SingleWork['run']): SingleLoop =>
      startSingleLoop({ clock, log }, { name, settleMs, run })
    this.#main = loopOf('store', (signal) => this.#pass(signal))
    this.#beside = loopOf('store, urgent', (signal) => (this.#serving = this.#serve(signal)))
    this.#main.runNow()
  }

  schedule(): void {
    this.#main.schedule()
    this.#beside.schedule()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([this.#main.stop(), this.#beside.stop()])
    await this.#notifications.stop()
    await this.#connection.close()
    this.#releaseBudget()
  }

  #roll(): number {
    return (this.#deps.random ?? Math.random)()
  }

  #gather(): Promise<StoreFacts | undefined> {
    return gatherStoreFacts(this.#deps.read(), this.#connection, this.#remembered.answered)
  }

  #next({ secretStore, allowed, news, requests, key }: StoreFacts): NextStep {
    const { refresh, keys, check, resume } = requests
    const sync = resume !== undefined || (refresh !== undefined && keys.length === 0)
    const { lookedAt, fault, triedKey } = this.#remembered
    return decideStore({
      nowMs: this.#deps.clock.now(),
      everyMs: everyMsOf(secretStore.spec),
      offset: offsetOf(secretStore.uid),
      sinceMs: this.#sinceMs,
      secrets: allowed.length,
      news: news.length,
      lookedAt,
      fault,
      isUntried: triedKey !== key,
      isNotListening: secretStore.spec.push?.sqs !== undefined && !this.#connection.isKnown,
      asked: {
        sync,
        keys: keys.length > 0,
        check: check !== undefined,
        notifications: this.#notifications.keys.length > 0,
      },
      random: this.#random,
    })
  }

  /** Does what is due. */
  async #pass(signal: AbortSignal): Promise<ReconcileOutcome> {
    const facts = await this.#gather()
    if (facts === undefined) return done
    const { clock } = this.#deps
    await this.#bar(facts)
    const next = this.#next(facts)
    const isDue = next.at !== undefined && next.at <= clock.now()
    if (isDue) await this.#performLong(facts, next.step, signal)
    // Whoever asks is told why it is not done now.
    else if (this.#remembered.fault !== undefined) {
      const { refresh, check } = facts.requests
      this.#answer({ refresh, check })
    }
    signal.throwIfAborted()
    const after = isDue ? await this.#gather() : facts
    if (after === undefined) return done
    const { at = Infinity } = this.#next(after)
    await this.#writeStatus(after, at, signal)
    const { lookedAt } = this.#remembered
    const staleAt = lookedAt === undefined ? Infinity : staleAtOf(after.secretStore.spec, lookedAt)
    const now = clock.now()
    const restMs = Math.min(at, staleAt > now ? staleAt : Infinity) - now
    return waitFor(Math.min(Math.max(restMs, leastRestMs), mostRestMs))
  }

  async #bar({ secretStore, notAllowed: secrets }: StoreFacts): Promise<void> {
    const outcomes = secrets.flatMap((secret) => whyNotAllowed(secretStore, secret)?.outcome ?? [])
    if (outcomes.length > 0) await writeOutcomes(this.#deps, secretStore, outcomes)
  }

  /** New secrets, and what somebody waits for, do not wait for the end of a step that takes long. */
  async #performLong(facts: StoreFacts, kind: StoreStep, signal: AbortSignal): Promise<void> {
    this.#budget.open()
    if (kind === 'sync' || kind === 'news')
      this.#covered = new Set(facts.allowed.map(({ uid }) => uid))
    try {
      await this.#perform(facts, kind, signal)
    } finally {
      this.#covered = undefined
      // Its fault is one of its own loop.
      await this.#serving.catch(() => undefined)
    }
  }

  /** Does what is urgent, as long as a long step is under way. */
  async #serve(signal: AbortSignal): Promise<ReconcileOutcome> {
    while (this.#covered !== undefined && !signal.aborted) {
      const covered = this.#covered
      const facts = await this.#gather()
      if (facts?.key !== this.#remembered.triedKey || !this.#connection.isKnown) break
      if (this.#remembered.fault !== undefined) break
      const work = urgentOf(facts, covered, this.#notifications.keys)
      if (work === undefined || this.#covered !== covered) break
      for (const { uid } of work.facts.news) covered.add(uid)
      const urgent = linkedAbort(signal)
      this.#budget.hurry(urgent.signal)
      try {
        await this.#perform(work.facts, work.kind, urgent.signal)
      } finally {
        urgent.abort()
      }
    }
    return done
  }

  async #perform(facts: StoreFacts, kind: StoreStep, signal: AbortSignal): Promise<void> {
    const remembered = this.#remembered
    const { refresh, check, resume } = facts.requests
    const { fault, cursor, areDeletionsHeld } = remembered
    let [isWhole, isOvertaken] = [false, false]
    try {
      const provider = await this.#connect(facts, kind === 'check', signal)
      const deps = { ...this.#deps, provider, signal }
      const notifiedKeys = this.#notifications.keys
      const ways = { kind, cursor, areDeletionsHeld, isResumed: resume !== undefined, notifiedKeys }
      const result = await step(deps, { ...facts, ...ways })
      ;({ isWhole, isOvertaken } = result)
      // Another step may have noted one meanwhile.
      if (remembered.fault === fault) remembered.fault = undefined
      Object.assign(remembered, result.remembered)
      if (isWhole) remembered.lookedAt = this.#deps.clock.now()
      if (kind === 'notifications' && !isOvertaken) this.#notifications.acknowledge(notifiedKeys)
      if (remembered.fault === undefined && provider.notifications)
        this.#notifications.listen(provider.notifications)
    } catch (error) {
      if (!(error instanceof StoreFault)) throw error
      this.#note(error)
      await this.#notifications.stop()
    }
    this.#random = this.#roll()
    // Also by a fault: the conditions tell.
    const answered = { refresh: isOvertaken ? undefined : refresh, check }
    this.#answer({ ...answered, resume: isWhole ? resume : undefined })
  }

  /** The provider, after the store has said whom it takes us for. */
  async #connect(
    { object, secretStore, key }: StoreFacts,
    asksAgain: boolean,
    signal: AbortSignal,
  ): Promise<StoreProvider> {
    const remembered = this.#remembered
    if (remembered.triedKey !== key) {
      await this.#notifications.stop()
      this.#notifications.state = undefined
      const unknown = { fault: undefined, cursor: undefined, identity: undefined }
      Object.assign(remembered, { triedKey: key, ...unknown })
    }
    const { maxCallsPerMinute = defaultCalls } = secretStore.spec.refresh ?? {}
    this.#budget.most = maxCallsPerMinute
    const provider = await this.#connection.provider(object, key, (ending) =>
      this.#budget.spend(ending),
    )
    this.#budget.most = Math.min(maxCallsPerMinute, provider.limits.perMinute)
    if (!this.#connection.isKnown || asksAgain) {
      remembered.identity = await provider.whoAmI(signal)
      this.#connection.isKnown = true
    }
    return provider
  }

  #note(fault: StoreFault): void {
    const remembered = this.#remembered
    const { kind, message, retryAfterMs } = fault
    // The step beside this one was told so, and has noted it.
    if (this.#budget.closed === fault) return
    if (kind === 'Throttled') this.#budget.close(fault)
    const again = remembered.fault?.kind === kind ? remembered.fault.tries : 0
    remembered.fault = { kind, message, tries: again + 1, at: this.#deps.clock.now(), retryAfterMs }
  }

  #answer(answers: Partial<Record<'refresh' | 'check' | 'resume', string | undefined>>): void {
    this.#remembered.answered = { ...this.#remembered.answered, ...defined(answers) }
  }

  async #writeStatus(
    { object, secretStore, allowed, notAllowed: out }: StoreFacts,
    at: number,
    signal: AbortSignal,
  ) {
    const { clock, onMeasured } = this.#deps
    const { lagMs, lookedAt, triedKey } = this.#remembered
    const now = clock.now()
    const after = statusAfter(this.#status, {
      ...this.#remembered,
      queue: this.#notifications.state,
      spec: secretStore.spec,
      generation: object.metadata.generation ?? 1,
      nowMs: now,
      credential: triedKey,
      secrets: allowed.length + out.length,
      calls: this.#budget.used,
      nextAt: at === Infinity ? undefined : at,
    })
    const isStale = isStaleIn(after)
    const { namespace, name } = secretStore.ref
    const calls = this.#budget.total
    const { foreignMessages } = this.#notifications
    onMeasured?.({ namespace, name, isStale, calls, lagMs, lookedAt, foreignMessages })
    if (isStale)
      await writeOutcomes(this.#deps, secretStore, stale(secretStore, allowed, lookedAt ?? now))
    signal.throwIfAborted()
    const times = { nowMs: now, writtenAt: this.#writtenAt }
    if (!isWorthWriting(this.#status, after, times)) return
    const { fault } = this.#remembered
    const events = [
      ...(isStale && !isStaleIn(this.#status) ? [storeStale(after)] : []),
      ...(isUnauthorized(fault) && !this.#isToldRefused ? [storeUnauthorized(after)] : []),
    ]
    await writeStatus(this.#deps, secretStore, after, events)
    this.#isToldRefused = isUnauthorized(fault)
    this.#status = after
    this.#writtenAt = now
  }
}
