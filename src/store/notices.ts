// What is told by an event is told by Notifiers too, in the same commit.
import { createHash } from 'node:crypto'
import { toTimestamp } from '../kernel/clock.ts'
import { refOf } from '../resources/meta.ts'
import type { NoticeReason, NotifierSpec } from '../resources/notifier.ts'
import type { SecretStoreSpec } from '../resources/secret-store.ts'
import type { WriteSession } from './session.ts'
import { term } from './state/rows.ts'
import type { EventInput } from './store.ts'

/** One thing to tell. Names only. */
export interface Notice {
  /** `Test`: nothing has happened; somebody tries the Notifier. */
  readonly reason: NoticeReason | 'Test'
  readonly kind: string
  readonly team: string
  readonly project?: string
  readonly name: string
  readonly message: string
  readonly at: string
}

export interface NoticeRow {
  /** Uid of the Notifier. */
  readonly notifier: string
  readonly about: string
  /** ms */
  readonly at: number
  readonly notice: Notice
}

/** By the reason of the event. `isOnce`: the event itself comes but once for each thing that it tells. */
const told: Readonly<Record<string, { reason: NoticeReason; isOnce: boolean }>> = {
  ExpiryNear: { reason: 'Expiring', isOnce: true },
  Expired: { reason: 'Expired', isOnce: true },
  RotationDue: { reason: 'RotationDue', isOnce: true },
  RotationFailed: { reason: 'RotationFailed', isOnce: false },
  RotationBlocked: { reason: 'RotationBlocked', isOnce: false },
  CredentialRefused: { reason: 'RotationBlocked', isOnce: false },
  CredentialUntested: { reason: 'RotationBlocked', isOnce: true },
  KeyRotationDue: { reason: 'KeyRotationDue', isOnce: true },
  RolledBack: { reason: 'RolledBack', isOnce: false },
  Disconnected: { reason: 'AgentLost', isOnce: false },
  DriftFound: { reason: 'Drifted', isOnce: false },
  StoreStale: { reason: 'StoreStale', isOnce: false },
  ManifestFault: { reason: 'ManifestFault', isOnce: true },
}

const projectOf = ({ regarding: { kind, metadata, spec } }: EventInput): string | undefined =>
  kind === 'Project'
    ? metadata.name
    : (spec as { projectRef?: { name: string } } | undefined)?.projectRef?.name

/** An agent concerns the projects that have a stagelet on it, a store those that it allows. */
const concerns = (
  session: WriteSession,
  event: EventInput,
  projects: readonly string[],
): boolean => {
  const { kind, namespace, name } = refOf(event.regarding)
  const own = projectOf(event)
  if (own !== undefined) return projects.includes(own)
  if (kind === 'SecretStore') {
    const { allow } = event.regarding.spec as unknown as SecretStoreSpec
    return allow?.projects.some((project) => projects.includes(project)) === true
  }
  if (kind !== 'Agent') return false
  return projects.some((project) =>
    session
      .select(term.stageletsOf({ namespace, name: project }))
      .some(({ object }) => (object.spec as { agentRef: { name: string } }).agentRef.name === name),
  )
}

export const noticesOf = (session: WriteSession, event: EventInput): NoticeRow[] => {
  const known = told[event.reason]
  if (known === undefined) return []
  const { regarding, message } = event
  const { kind, name, ...ref } = refOf(regarding)
  const namespace = kind === 'Namespace' ? name : ref.namespace
  const { reason, isOnce } = known
  const { uid = '', generation = 0 } = regarding.metadata
  const hash = isOnce ? createHash('sha256').update(message).digest('hex').slice(0, 16) : ''
  const project = projectOf(event)
  return session.select(term.notifiersIn(namespace)).flatMap(({ object, uid: notifier }) => {
    const { reasons, projects } = object.spec as unknown as NotifierSpec
    if (!reasons.includes(reason)) return []
    if (projects !== undefined && !concerns(session, event, projects)) return []
    const notice: Notice = {
      ...{ reason, kind, team: namespace, name, message, at: toTimestamp(session.nowMs) },
      ...(project === undefined ? {} : { project }),
    }
    const about = `${uid} ${reason} ${generation} ${hash}`
    return [{ notifier, about, at: session.nowMs, notice }]
  })
}
