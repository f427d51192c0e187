// Says of an agent's keys what became of them, whoever changed them.
import type { AgentStatus } from '../resources/agent.ts'
import { isTrue } from '../resources/conditions.ts'
import type { KubeObject, ObjectRef } from '../resources/meta.ts'
import type { Transaction } from './store.ts'

const toldOfKeys = {
  Joined: (keys: string) => `the agent has joined with keys ${keys}`,
  KeysRotated: (keys: string) => `the agent has changed its keys itself, to ${keys}`,
  Revoked: (keys: string) => `keys ${keys} of the agent were revoked`,
} as const

/** In the Agent's status, which cuts streams of other keys, and as an event. */
export const tellOfKeys = async (
  tx: Transaction,
  ref: ObjectRef,
  what: { type: 'Normal' | 'Warning'; reason: keyof typeof toldOfKeys; fingerprint: string },
): Promise<void> => {
  const { type, reason, fingerprint } = what
  const agent = await tx.get(ref)
  if (agent === undefined) return
  const { keyFingerprint: _before, ...rest } = (agent.status ?? {}) as AgentStatus
  const status = reason === 'Revoked' ? rest : { ...rest, keyFingerprint: fingerprint }
  await tx.setStatus({ ...agent, status })
  const message = toldOfKeys[reason](fingerprint)
  await tx.recordEvent({ regarding: agent, type, reason, message })
}

/** One that loses its keys while it is connected was seen until now: what it has told is unknown since. */
export const noteLastSeen = async (
  tx: Transaction,
  agent: KubeObject,
  now: string,
): Promise<void> => {
  const status = agent.status as AgentStatus | undefined
  if (!isTrue(status?.conditions, 'Ready')) return
  await tx.setStatus({ ...agent, status: { ...status, lastSeen: now, lastLost: now } })
}
