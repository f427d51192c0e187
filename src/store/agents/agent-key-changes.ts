// Notes a change of an agent's keys in its status, and as an event.
import { isTrue } from '../../resources/conditions.ts'
import type { KubeObject, ObjectRef } from '../../resources/meta.ts'
import { statusOf } from '../../kinds/typed.ts'
import type { Transaction } from '../transaction.ts'

const keyMessages = {
  Joined: (keys: string) => `the agent has joined with keys ${keys}`,
  KeysRotated: (keys: string) => `the agent has changed its keys itself, to ${keys}`,
  Revoked: (keys: string) => `keys ${keys} of the agent were revoked`,
} as const

/** The status cuts streams that were opened with other keys. */
export const recordKeyChange = async (
  tx: Transaction,
  ref: ObjectRef,
  what: { type: 'Normal' | 'Warning'; reason: keyof typeof keyMessages; fingerprint: string },
): Promise<void> => {
  const { type, reason, fingerprint } = what
  const agent = await tx.get(ref)
  if (agent === undefined) return
  const { keyFingerprint: _before, ...rest } = statusOf('Agent', agent)
  const status = reason === 'Revoked' ? rest : { ...rest, keyFingerprint: fingerprint }
  await tx.setStatus({ ...agent, status })
  const message = keyMessages[reason](fingerprint)
  await tx.recordEvent({ regarding: agent, type, reason, message })
}

/** A connected agent that loses its keys was seen until now. From then on the state of its machine is unknown. */
export const noteLastSeen = async (
  tx: Transaction,
  agent: KubeObject,
  now: string,
): Promise<void> => {
  const status = statusOf('Agent', agent)
  if (!isTrue(status.conditions, 'Ready')) return
  await tx.setStatus({ ...agent, status: { ...status, lastSeen: now, lastLost: now } })
}
