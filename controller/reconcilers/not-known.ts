// What is written of objects whose pass fails again and again. A status is as old as the pass that made it: left as it
// was, it would say for ever what was true before the fault.
import { toTimestamp, type Clock } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import {
  statusConditions,
  withCondition,
  type NewCondition,
} from '../../src/resources/conditions.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../src/resources/meta.ts'
import type { StageletStatus } from '../../src/kinds/stagelet/schema.ts'
import { ofKind } from '../../src/kinds/typed.ts'
import type { StageletObject } from './project/gather.ts'
import type { Store, Transaction } from '../../src/store/store.ts'
import { reconcilerActor } from './actor.ts'
import { lastSeenOf, seenTypes, unseenService } from './stagelet/unseen.ts'

const reconcileFailed = 'ReconcileFailed'

const message = 'the controller failed when it judged this; its log has "reconcile failed", and why'

/** Of each kind, what its reconcilers say. */
const judged: Readonly<Record<string, readonly string[]>> = {
  Stagelet: [...seenTypes, 'Accepted', 'AgentReachable'],
  Project: ['Ready', 'Progressing', 'Degraded'],
  StagelySecret: ['ScopeMatched', 'InSync'],
  Rotation: ['Ready'],
}

/** Most objects in one write: other writes wait for it. */
const inOneWrite = 50

const unknownOf = ({ kind, status }: KubeObject): NewCondition[] =>
  statusConditions({ status })
    .filter(({ type }) => judged[kind]?.includes(type) === true)
    .map(({ type, observedGeneration }) => ({
      type,
      status: 'Unknown',
      reason: reconcileFailed,
      message,
      ...defined({ observedGeneration }),
    }))

const notSeen = (stagelet: StageletObject, now: string): StageletStatus => {
  const { status } = stagelet
  const lastSeen = status?.lastSeen ?? lastSeenOf({ stagelet }, now)
  const services = status?.services?.map((service) => unseenService(service, lastSeen.at))
  return { lastSeen, ...defined({ services }) }
}

const write = async (tx: Transaction, ref: ObjectRef, now: string): Promise<void> => {
  const object = await tx.get(ref)
  if (object?.status === undefined) return
  let conditions = statusConditions(object)
  for (const next of unknownOf(object)) conditions = withCondition(conditions, next, now)
  const seen = object.kind === 'Stagelet' ? notSeen(ofKind('Stagelet', object), now) : {}
  await tx.setStatus({ ...object, status: { ...object.status, ...seen, conditions } })
}

/** Sets to Unknown what the reconcilers said of these objects. Writes nothing where that is said already. */
export const writeNotKnown = async (
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  refs: readonly ObjectRef[],
): Promise<void> => {
  const now = toTimestamp(clock.now())
  for (let first = 0; first < refs.length; first += inOneWrite) {
    const some = refs.slice(first, first + inOneWrite)
    await store.write(reconcilerActor, {}, async (tx) => {
      for (const ref of some) await write(tx, ref, now)
    })
  }
}

/** A project is judged with all its secrets. */
export const withSecretsOf = async (store: Store, project: ObjectRef): Promise<ObjectRef[]> => {
  const { namespace, name } = project
  const { items } = await store.list('StagelySecret', { namespace, project: name })
  return [project, ...items.map(refOf)]
}
