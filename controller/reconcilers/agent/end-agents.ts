// The end of machines that are meant to go: in one write the agent goes, with its keys, its stagelets and their own
// secrets. What ran there last is told before.
import { append } from '../../../src/kernel/append.ts'
import type { AgentSpec, AgentStatus } from '../../../src/kinds/agent/schema.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import {
  agentFinalizer,
  annotations,
  keyOf,
  refOf,
  type KubeObject,
  type ObjectRef,
} from '../../../src/resources/meta.ts'
import { projectRefOf } from '../../../src/resources/project-ref.ts'
import type { Typed } from '../../../src/kinds/typed.ts'
import { isDeclaring } from '../../../src/store/objects/admission.ts'
import type { Transaction } from '../../../src/store/store.ts'

type Stagelet = Typed<'Stagelet'>

/**
 * Since when an ephemeral agent is away; undefined where it is not, or is not meant to go. A refused agent, such as one
 * with a wrong clock, was heard: it is not away.
 */
export const absenceOf = ({
  metadata,
  spec,
  status,
}: {
  readonly metadata: KubeObject['metadata']
  readonly spec?: AgentSpec
  readonly status?: AgentStatus
}): string | undefined => {
  if (spec?.ephemeral === undefined || metadata.deletionTimestamp !== undefined) return undefined
  if (findCondition(status?.conditions, 'Refused')?.status === 'True') return undefined
  const ready = findCondition(status?.conditions, 'Ready')
  return ready?.reason === 'Disconnected'
    ? (status?.lastLost ?? ready.lastTransitionTime)
    : undefined
}

const mostTold = 10

/** `pr-42: revision 7, web running, db exited`. */
const lastRunOf = ({ metadata, status = {} }: Stagelet): string => {
  const revision = status.lastSeen?.revision ?? status.runningRevision
  const services = (status.services ?? []).map(
    ({ name, state, lastSeen }) => `${name} ${lastSeen?.state ?? state ?? 'unknown'}`,
  )
  const seen = [...(revision === undefined ? [] : [`revision ${revision}`]), ...services]
  return `${metadata.name}: ${seen.length === 0 ? 'nothing was seen' : seen.join(', ')}`
}

/** What the event and the notice say. */
const lastWordsOf = (why: string, stagelets: readonly Stagelet[]): string => {
  const told = stagelets.slice(0, mostTold).map(lastRunOf)
  const more = stagelets.length - told.length
  const ran =
    told.length === 0
      ? 'no stagelet was on it'
      : `there ran last: ${told.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
  return `the machine is ended: ${why}; ${ran}`
}

export interface Leaver {
  readonly ref: ObjectRef<'Agent'>
  /** Why, in words. */
  readonly why: string
  /** Its absence, as it was judged; undefined: the agent itself says that it goes. */
  readonly since?: string
}

const isDeclared = ({ metadata }: KubeObject): boolean =>
  isDeclaring(metadata.annotations?.[annotations.source] ?? '')

/** Secrets that name a stagelet which has gone. What a source declares is the source's to take away. */
const endSecrets = async (tx: Transaction, gone: readonly Stagelet[]): Promise<void> => {
  const projects = new Map(
    gone.map(projectRefOf).map((project) => [keyOf(project), project] as const),
  )
  for (const [key, { namespace, name: project }] of projects) {
    const own = gone.filter((stagelet) => keyOf(projectRefOf(stagelet)) === key)
    const names = new Set(own.map(({ metadata }) => metadata.name))
    const { items } = await tx.list('StagelySecret', { namespace, project })
    for (const secret of items)
      if (names.has(secret.spec.stageletRef?.name ?? '') && !isDeclared(secret))
        await tx.remove(refOf(secret))
  }
}

const endAgent = async (
  tx: Transaction,
  { ref, why, since }: Leaver,
  { stagelets, now }: { readonly stagelets: readonly Stagelet[]; readonly now: string },
): Promise<readonly Stagelet[]> => {
  const agent = await tx.get(ref)
  if (agent?.spec?.ephemeral === undefined) return []
  if (since !== undefined && absenceOf(agent) !== since) return []
  const own = stagelets.filter(({ spec }) => spec.agentRef.name === ref.name)
  const message = lastWordsOf(why, own)
  await tx.recordEvent({ regarding: agent, type: 'Normal', reason: 'AgentGone', message })
  // What is noted of each stagelet as it goes depends on that: see released-stacks.ts.
  await tx.setStatus({ ...agent, status: { ...agent.status, endedAt: now } })
  for (const stagelet of own) {
    await tx.remove(refOf(stagelet))
    // Nobody answers any more.
    if (stagelet.metadata.finalizers?.includes(agentFinalizer) === true)
      await tx.removeFinalizer(refOf(stagelet), agentFinalizer)
  }
  await tx.remove(ref)
  return own
}

/** Ends each that is still ephemeral, and still away where that is why. */
export const endAgents = async (
  tx: Transaction,
  leavers: readonly Leaver[],
  now: string,
): Promise<void> => {
  for (const namespace of new Set(leavers.map(({ ref }) => ref.namespace))) {
    const { items: stagelets } = await tx.list('Stagelet', { namespace })
    const gone: Stagelet[] = []
    for (const leaver of leavers)
      if (leaver.ref.namespace === namespace)
        append(gone, await endAgent(tx, leaver, { stagelets, now }))
    await endSecrets(tx, gone)
  }
}
