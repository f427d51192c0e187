// The status of projects says how old their keys are, and which are due.
import { defined } from '../../src/kernel/defined.ts'
import { toTimestamp } from '../../src/kernel/clock.ts'
import { earliest } from '../../src/kernel/earliest.ts'
import { statusConditions, findCondition, withCondition } from '../../src/resources/conditions.ts'
import { keysAt, toldOf, type KeyRule, type KeysNow } from '../../src/kinds/project/key-rotation.ts'
import { refOf, type KubeObject } from '../../src/resources/meta.ts'
import { statusOf } from '../../src/kinds/typed.ts'
import { sameJson } from '../../src/kernel/same-json.ts'
import type { ProjectKeysFact } from '../../src/store/keys/key-age.ts'
import type { Store, Transaction } from '../../src/store/store.ts'
import { reconcilerActor } from '../reconcilers/actor.ts'

const inOneWrite = 50
const type = 'KeyRotationDue'

const timeOf = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : toTimestamp(ms)

/** The status with what is known of the keys; without it where there is nothing to say. */
const withKeys = (
  project: KubeObject,
  fact: ProjectKeysFact,
  { now, nowMs }: { now: KeysNow; nowMs: number },
): Record<string, unknown> => {
  const { keys: before, ...rest } = statusOf('Project', project)
  const { verdict } = now
  if (verdict === undefined && before === undefined) return project.status ?? {}
  const { generation: observedGeneration } = project.metadata
  const others = statusConditions(project).filter(
    (condition) => verdict !== undefined || condition.type !== type,
  )
  if (verdict === undefined) return { ...rest, conditions: others }
  const next = { type, ...verdict, observedGeneration }
  const keys = defined({
    dataKeySince: timeOf(fact.dataKeySince),
    wrappedBy: fact.wrappedBy,
    wrappedSince: timeOf(fact.wrappedSince),
    rotationDueAt: timeOf(now.dueAt),
  })
  return { ...rest, keys, conditions: withCondition(others, next, toTimestamp(nowMs)) }
}

const noteOne = async (
  tx: Transaction,
  given: KubeObject,
  statusOf: (project: KubeObject) => Record<string, unknown>,
): Promise<void> => {
  const current = await tx.get(refOf(given))
  if (current?.metadata.uid !== given.metadata.uid || current === undefined) return
  const after = { ...current, status: statusOf(current) }
  await tx.setStatus(after)
  const was = findCondition(statusConditions(current), type)
  const is = findCondition(statusConditions(after), type)
  if (is?.status !== 'True' || toldOf(is.message) === toldOf(was?.message ?? '')) return
  const { message } = is
  await tx.recordEvent({ regarding: after, type: 'Warning', reason: type, message })
}

interface Noting {
  readonly objects: ReadonlyMap<string, KubeObject>
  readonly ruleFor: (project: ProjectKeysFact) => KeyRule
  readonly nowMs: number
  /** Why data keys that are due are not replaced yet, by project. */
  readonly waits: ReadonlyMap<string, string>
}

/** Events come with the status that they follow from, once a day. Returns when (ms) time alone changes one. */
export const noteProjectKeys = async (
  { store }: { readonly store: Store },
  facts: readonly ProjectKeysFact[],
  { objects, ruleFor, nowMs, waits }: Noting,
): Promise<number | undefined> => {
  let nextAt: number | undefined
  const changes: ((tx: Transaction) => Promise<void>)[] = []
  for (const fact of facts) {
    const project = objects.get(fact.uid)
    const now = keysAt(fact, ruleFor(fact), { nowMs, waits: waits.get(fact.uid) })
    nextAt = earliest(nextAt, now.nextAt)
    if (project === undefined) continue
    const statusOf = (project: KubeObject) => withKeys(project, fact, { now, nowMs })
    if (sameJson(project.status ?? {}, statusOf(project))) continue
    changes.push((tx) => noteOne(tx, project, statusOf))
  }
  for (let first = 0; first < changes.length; first += inOneWrite)
    await store.write(reconcilerActor, {}, async (tx) => {
      for (const change of changes.slice(first, first + inOneWrite)) await change(tx)
    })
  return nextAt
}
