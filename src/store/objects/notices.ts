// Notices of Notifiers. An event and its notices are stored by the same commit.
import { createHash } from 'node:crypto'
import { toTimestamp } from '../../kernel/clock.ts'
import { defined } from '../../kernel/defined.ts'
import { refOf } from '../../resources/meta.ts'
import type { Notice, NoticeRow } from '../core/notice.ts'
import type { NoticeReason } from '../../kinds/notifier/schema.ts'
import { specOf } from '../../kinds/typed.ts'
import { projectNameOf } from '../../resources/project-ref.ts'
import type { WriteSession } from '../core/write-session.ts'
import { term } from '../state/rows.ts'
import type { EventInput } from '../core/objects.ts'

/** By the reason of the event. `isOnce`: an event with the same message makes one notice for each generation. */
const noticeOf: Readonly<Record<string, { reason: NoticeReason; isOnce: boolean }>> = {
  ExpiryNear: { reason: 'Expiring', isOnce: true },
  Expired: { reason: 'Expired', isOnce: true },
  RotationDue: { reason: 'RotationDue', isOnce: true },
  LeakFound: { reason: 'LeakFound', isOnce: false },
  RotationFailed: { reason: 'RotationFailed', isOnce: false },
  RotationBlocked: { reason: 'RotationBlocked', isOnce: false },
  CredentialRefused: { reason: 'RotationBlocked', isOnce: false },
  ServiceIllAgain: { reason: 'RotationBlocked', isOnce: false },
  CredentialUntested: { reason: 'RotationBlocked', isOnce: true },
  KeyRotationDue: { reason: 'KeyRotationDue', isOnce: true },
  RolledBack: { reason: 'RolledBack', isOnce: false },
  EndNear: { reason: 'Ending', isOnce: true },
  Ended: { reason: 'Ending', isOnce: false },
  Disconnected: { reason: 'AgentLost', isOnce: false },
  AgentGone: { reason: 'AgentGone', isOnce: false },
  DriftFound: { reason: 'Drifted', isOnce: false },
  StoreStale: { reason: 'StoreStale', isOnce: false },
  StoreUnauthorized: { reason: 'StoreUnauthorized', isOnce: false },
  ManifestFault: { reason: 'ManifestFault', isOnce: true },
  AccessRequested: { reason: 'AccessRequested', isOnce: false },
  AccessDecided: { reason: 'AccessDecided', isOnce: true },
  AccessEnded: { reason: 'AccessDecided', isOnce: true },
  GlassBroken: { reason: 'GlassBroken', isOnce: false },
  ReviewOverdue: { reason: 'GlassBroken', isOnce: true },
}

const projectOf = ({ regarding }: EventInput): string | undefined =>
  regarding.kind === 'Project' ? regarding.metadata.name : projectNameOf(regarding)

/** An agent concerns the projects with a stagelet on it; a store concerns the projects that it allows. */
const concerns = (
  session: WriteSession,
  event: EventInput,
  projects: readonly string[],
): boolean => {
  const { kind, namespace, name } = refOf(event.regarding)
  const own = projectOf(event)
  if (own !== undefined) return projects.includes(own)
  if (kind === 'SecretStore') {
    const { allow } = specOf('SecretStore', event.regarding)
    return allow?.projects.some((project) => projects.includes(project)) === true
  }
  if (kind !== 'Agent') return false
  return projects.some((project) =>
    session
      .select(term.stageletsOf({ namespace, name: project }))
      .some(({ object }) => specOf('Stagelet', object).agentRef.name === name),
  )
}

export const noticesOf = (session: WriteSession, event: EventInput): NoticeRow[] => {
  const notified = noticeOf[event.reason]
  if (notified === undefined) return []
  const { regarding, message } = event
  const { kind, name, ...ref } = refOf(regarding)
  const namespace = kind === 'Namespace' ? name : ref.namespace
  const { reason, isOnce } = notified
  const { uid = '', generation = 0 } = regarding.metadata
  const hash = isOnce ? createHash('sha256').update(message).digest('hex').slice(0, 16) : ''
  const project = projectOf(event)
  return session.select(term.notifiersIn(namespace)).flatMap(({ object, uid: notifier }) => {
    const { reasons, projects } = specOf('Notifier', object)
    if (!reasons.includes(reason)) return []
    if (projects !== undefined && !concerns(session, event, projects)) return []
    const notice: Notice = {
      reason,
      kind,
      team: namespace,
      name,
      message,
      at: toTimestamp(session.nowMs),
      ...defined({ project }),
    }
    const about = `${uid} ${reason} ${generation} ${hash}`
    return [{ notifier, about, at: session.nowMs, notice }]
  })
}
