// Carries Rotations on: decides, does the effect outside of any write, and stores what came of it. See ADR 0062, 0065.
import { defined } from '../../src/kernel/defined.ts'
import { toTimestamp, type Clock } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { repeatUntil } from '../../src/kernel/async/pause.ts'
import {
  statusConditions,
  findCondition,
  isTrue,
  type Condition,
} from '../../src/resources/conditions.ts'
import { keyOf, refFromKey, refOf, type KubeObject } from '../../src/resources/meta.ts'
import type { RotationStatus } from '../../src/kinds/rotation/schema.ts'
import { statusOf } from '../../src/kinds/typed.ts'
import { sameJson } from '../../src/kernel/same-json.ts'
import {
  done,
  startControlLoop,
  waitFor,
  type ReconcileOutcome,
} from '../../src/runtime/control-loop.ts'
import type { StagedValues } from '../../src/store/secrets/staged-values.ts'
import type { ChangeEvent, EventInput, Store } from '../../src/store/store.ts'
import type { Egress } from '../egress/gate.ts'
import type { LookElsewhere } from '../where/elsewhere.ts'
import { followStore } from '../follow-store.ts'
import type { RotationCounts, RotationMetrics } from './metrics.ts'
import { reconcilerActor } from '../reconcilers/actor.ts'
import { writeNotKnown } from '../reconcilers/not-known.ts'
import { secretForController } from '../secret-for-controller.ts'
import { withVerdicts } from './machine/status-conditions.ts'
import { decideRotation } from './machine/decide.ts'
import type { Next, RotationEvent } from './machine/facts.ts'
import { retryMs } from './machine/idle.ts'
import { afterResult } from './machine/enter.ts'
import { afterRefusal } from './machine/store-refusal.ts'
import { isPending, isWritten, stayUntested } from './machine/restored.ts'
import { notAsked } from './effects/retest.ts'
import { runEffect } from './effects/run-effect.ts'
import { busyOf } from './busy.ts'
import { gatherRotation, type Gathered } from './gather.ts'
import type { RotationObject } from './machine/facts.ts'
import { isStillDecided } from './still-decided.ts'
import type { OpenRotator } from './providers/open-rotator.ts'
import type { EffectOutcome as Step } from './effects/outcome.ts'
import { isNear, isReturn, isTriedAgain, triedNow } from './returns.ts'
import { RotatorFault } from './providers/rotator.ts'

export interface RotationDeps {
  readonly store: Store
  readonly staged: StagedValues
  readonly openRotator: OpenRotator
  readonly egress: Egress
  readonly lookElsewhere?: LookElsewhere
  readonly clock: Clock
  /** From 0 to below 1: when clients of an old credential are looked for. */
  readonly random?: () => number
  readonly log: Logger
  /** A rotation has ended an old credential, so long (ms) after its start. */
  readonly onRevoked?: RotationMetrics['onRevoked']
  readonly onRotations?: RotationMetrics['onRotations']
}

/** What follows one write is decided at once, so often at most. */
const mostSteps = 20
const settleMs = 200
const idleMs = 3_600_000
const leastMs = 50
/** Whatever changes around it, one that is not due is looked at so seldom. */
const quietMs = 10_000
/** Each rotation has its own rate: a rotation that waits for its database delays no other rotation. */
const workers = 64
const watched = new Set(['Rotation', 'StagelySecret', 'Stagelet', 'Project'])

const isAwaiting = ({ status }: RotationObject): boolean => status?.restored?.awaiting !== undefined

const countsOf = (items: readonly KubeObject[]): RotationCounts => {
  const count = (type: string): number =>
    items.filter(({ status }) => isTrue(statusConditions({ status }), type)).length
  return { Failed: count('Failed'), Blocked: count('Blocked'), Overdue: count('Overdue') }
}

const isQuiet = ({ status = {}, metadata }: RotationObject, nowMs: number): boolean => {
  const { phase = 'Idle', request, nextAt, observedGeneration } = status
  if (phase !== 'Idle' || request !== undefined || isPending(status)) return false
  if (observedGeneration !== metadata.generation) return false
  return nextAt === undefined || Date.parse(nextAt) > nowMs
}

/** A reconciler of Rotations whose outcome is an effect. What a step waits for wakes it, or its time. */
export const startRotationPerformer = (deps: RotationDeps): { stop(): Promise<void> } => {
  const { store, staged, clock, log } = deps
  const stopping = new AbortController()
  const { signal } = stopping
  const rotationsByKey = new Map<string, RotationObject>()
  /** Their next try is not waited for: what was away is back. */
  const woken = new Set<string>()

  const reconcile = async (key: string, ending: AbortSignal): Promise<ReconcileOutcome> => {
    const rotation = rotationsByKey.get(key)
    if (rotation === undefined) return done
    const until = await advance(deps, rotation, ending, woken.delete(key))
    if (until === undefined) return done
    return waitFor(Math.min(Math.max(until - clock.now(), leastMs), idleMs))
  }
  const loop = startControlLoop(
    { clock, log, workers },
    {
      name: 'rotation',
      reconcile,
      notKnown: (key) => writeNotKnown({ store, clock }, [refFromKey(key)]),
    },
  )

  const note = (rotation: KubeObject, isGone: boolean): void => {
    const key = keyOf(refOf(rotation))
    if (isGone) rotationsByKey.delete(key)
    else rotationsByKey.set(key, rotation as RotationObject)
    if (isGone) woken.delete(key)
    loop.enqueueAfter(key, settleMs)
  }
  const wake = (isConcerned: (rotation: RotationObject) => boolean): void => {
    for (const [key, rotation] of rotationsByKey) {
      if (!isConcerned(rotation)) continue
      loop.enqueueAfter(key, isQuiet(rotation, clock.now()) ? quietMs : settleMs)
    }
  }
  const onChanges = (changes: readonly ChangeEvent[]): void => {
    const rotations = changes.filter(({ object }) => object.kind === 'Rotation')
    for (const { object, type } of rotations) note(object, type === 'DELETED')
    if (rotations.length > 0) deps.onRotations?.(countsOf([...rotationsByKey.values()]))
    for (const change of changes.filter(isReturn))
      for (const [key, rotation] of rotationsByKey)
        if (isTriedAgain(rotation.status ?? {}) && isNear(change, rotation)) woken.add(key)
    if (changes.some(({ object }) => watched.has(object.kind))) wake(() => true)
    else if (changes.some(({ object }) => object.kind === 'Agent'))
      wake((rotation) => isAwaiting(rotation) || woken.has(keyOf(refOf(rotation))))
  }
  const readAll = async (): Promise<void> => {
    const { items } = await store.list('Rotation')
    rotationsByKey.clear()
    for (const rotation of items) note(rotation, false)
    deps.onRotations?.(countsOf(items))
  }
  const dropOrphans = async (): Promise<void> => {
    const onFault = (error: unknown): void =>
      log.warn({ err: error }, 'staged values of rotations that are gone are still stored')
    const work = (): Promise<void> => staged.dropOrphans()
    await work().catch(onFault)
    await repeatUntil(signal, clock, { everyMs: idleMs, work, onFault })
  }
  const running = [followStore(deps, signal, { readAll, onChanges }), dropOrphans()]
  return {
    stop: async () => {
      stopping.abort()
      await Promise.all([loop.stop(), ...running])
    },
  }
}

/** Goes on until somebody or something is waited for: until when (ms); undefined: until something changes. */
export const advance = async (
  deps: RotationDeps,
  { kind, metadata }: KubeObject,
  signal: AbortSignal,
  isWoken = false,
): Promise<number | undefined> => {
  const ref = { kind, namespace: metadata.namespace ?? '', name: metadata.name }
  for (let turn = 0; turn < mostSteps && !signal.aborted; turn += 1) {
    const rotation = (await deps.store.get(ref)) as RotationObject | undefined
    if (rotation === undefined || rotation.metadata.deletionTimestamp !== undefined)
      return undefined
    const nowMs = deps.clock.now()
    const gathered = await gatherRotation(deps.store, rotation, nowMs)
    const before = rotation.status ?? {}
    const status = isWoken && turn === 0 && isTriedAgain(before) ? triedNow(before) : before
    const next = decideRotation(rotation.spec, status, gathered.facts)
    const to = { rotation, status, gathered, next, nowMs }
    const { outcome, until } = await follow(deps, to, signal)
    if (signal.aborted) return undefined
    const wrote = await store(deps, to, outcome)
    if (next.do === 'wait' && !wrote) return until
  }
  return deps.clock.now() + leastMs
}

interface Turn {
  readonly rotation: RotationObject
  readonly status: RotationStatus
  readonly gathered: Gathered
  readonly next: Next
  readonly nowMs: number
}

const follow = async (
  deps: RotationDeps,
  { rotation, status, gathered, next, nowMs }: Turn,
  signal: AbortSignal,
): Promise<{ outcome: Step; until?: number | undefined }> => {
  if (next.do === 'wait') return { outcome: { status: next.status }, until: next.until }
  if (next.do === 'move') return { outcome: next }
  const { store, staged, egress, clock, log, lookElsewhere, random = Math.random } = deps
  const { namespace, name } = refOf(rotation)
  const at = {
    uid: rotation.metadata.uid ?? '',
    namespace,
    name,
    spec: rotation.spec,
    isRefused: status.cause === 'Refused' && !isWritten(status),
  }
  const secretOf = (secret: string): Promise<Buffer> =>
    secretForController(store, { namespace, name: secret }, 'rotation')
  try {
    const rotator = await deps.openRotator(at, { egress, clock, secretOf })
    const from = { store, staged, rotator, rotation, status, gathered, lookElsewhere }
    const work = { ...from, nowMs, clock, random, log, signal }
    return { outcome: await runEffect(next.effect, work) }
  } catch (error) {
    const isKnown = error instanceof RotatorFault || error instanceof StagelyError
    if (signal.aborted) throw error
    if (next.effect === 'verify') {
      // A project waits for the answer, whatever went wrong.
      if (!isKnown) deps.log.error({ err: error }, 'a credential could not be tested')
      const why = isKnown ? error.message : 'the test failed, see the log of the controller'
      return { outcome: stayUntested(status, nowMs, { why, away: gathered.facts.away }) }
    }
    if (!isKnown) throw error
    const accepted = notAsked(status, nowMs, error.message)
    if (next.effect === 'retest')
      return { outcome: afterResult(['retest', 'NotAsked'], status, nowMs, { set: { accepted } }) }
    // It could not even be asked, such as while its key is missing, or the provider of a project's key is away.
    const tries = (status.tries ?? 0) + 1
    const retryAt = toTimestamp(nowMs + retryMs(tries))
    const isMissing = !(error instanceof StagelyError) || error.reason === 'NotFound'
    const reason = isMissing ? 'RotatorMissing' : error.reason
    const blockedBy = [{ reason, message: error.message }]
    const set = { tries, retryAt, blockedBy }
    return { outcome: afterResult([next.effect, 'RetryLater'], status, nowMs, { set }) }
  }
}

const warnings: ReadonlySet<RotationEvent['reason']> = new Set([
  ...(['RotationFailed', 'RotationBlocked', 'CredentialRefused', 'CredentialUntested'] as const),
  'ServiceIllAgain',
])

const eventsOf = (
  rotation: KubeObject,
  status: RotationStatus,
  rotationEvent: RotationEvent | undefined,
): EventInput[] => {
  const before = statusOf('Rotation', rotation)
  const of = (from: RotationStatus): Condition | undefined =>
    findCondition(from.conditions, 'Blocked')
  const blocked = of(status)
  const isNews = blocked?.status === 'True' && blocked.reason !== of(before)?.reason
  const all: RotationEvent[] = [
    ...(rotationEvent === undefined ? [] : [rotationEvent]),
    ...(isNews ? [{ reason: 'RotationBlocked' as const, message: blocked.message }] : []),
  ]
  return all.map(({ reason, message }) => ({
    regarding: rotation,
    reason,
    message,
    type: warnings.has(reason) ? 'Warning' : 'Normal',
  }))
}

/** True where something was written. Nothing is, where the Rotation has changed meanwhile. */
const store = async (deps: RotationDeps, turn: Turn, outcome: Step): Promise<boolean> => {
  const { rotation, gathered } = turn
  const { write, isChange, rotationEvent, detail } = outcome
  const { name, generation, uid, resourceVersion } = rotation.metadata
  const before = rotation.status ?? {}
  const now = toTimestamp(deps.clock.now())
  const verdicts = (status: RotationStatus): RotationStatus =>
    withVerdicts(rotation.spec, status, gathered.facts, { name, generation, now })
  if (
    write === undefined &&
    rotationEvent === undefined &&
    sameJson(verdicts(outcome.status), before)
  )
    return false
  const id = `rotation ${uid ?? ''} ${String(before.attempt ?? 0)} ${before.step ?? ''}`
  const options = isChange === true ? { changeSet: { id, last: true } } : {}
  try {
    await deps.store.write(reconcilerActor, options, async (tx) => {
      const current = await tx.get(refOf(rotation))
      if (current?.metadata.resourceVersion !== resourceVersion || current === undefined) return
      const starts = (before.phase ?? 'Idle') === 'Idle' && outcome.status.phase !== 'Idle'
      // One whose credential is refused waits for nobody: others cannot be proven before it is delivered.
      const mustWait = starts && outcome.status.cause !== 'Refused'
      if (mustWait && (await busyOf(tx, rotation)) !== undefined) return
      if (!(await isStillDecided(tx, turn, deps.clock.now()))) return
      const more = await write?.(tx)
      const status = verdicts({ ...outcome.status, ...more })
      await tx.setStatus({ ...current, status: { ...status } })
      for (const event of eventsOf(current, status, rotationEvent)) await tx.recordEvent(event)
      if (
        before.phase !== status.phase ||
        before.step !== status.step ||
        rotationEvent !== undefined
      )
        await tx.audit(refOf(rotation), 'rotation step', {
          attempt: status.attempt,
          from: before.phase,
          to: status.phase,
          ...detail,
          ...(rotationEvent?.reason === 'RotationProven' && { evidence: status.evidence }),
          ...defined({
            step: status.step,
            what: rotationEvent?.reason,
            message: rotationEvent?.message,
          }),
        })
    })
  } catch (error) {
    if (!(error instanceof StagelyError) || write === undefined) throw error
    const next = afterRefusal(before, deps.clock.now(), error)
    return store(deps, turn, next)
  }
  if (rotationEvent?.reason === 'CredentialRevoked')
    deps.onRevoked?.(deps.clock.now() - Date.parse(before.startedAt ?? now))
  return true
}
