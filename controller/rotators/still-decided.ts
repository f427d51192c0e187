// Agents are asked for seconds before it is stored that a credential ends: what they report meanwhile counts.
import { sameJson } from '../../src/kernel/same-json.ts'
import type { RotationStatus } from '../../src/kinds/rotation/schema.ts'
import type { Reader } from '../../src/store/store.ts'
import { gatherRotation } from './gather.ts'
import { decideRotation } from './machine/decide.ts'
import type { Next, RotationObject } from './machine/facts.ts'

interface Decided {
  readonly rotation: RotationObject
  readonly status: RotationStatus
  readonly next: Next
}

/** Whether the same would be decided in this write. Only of what leads nowhere back. */
export const isStillDecided = async (
  reader: Reader,
  { rotation, status, next }: Decided,
  nowMs: number,
): Promise<boolean> => {
  if (next.do !== 'effect' || next.effect !== 'beginRevoke') return true
  const { facts } = await gatherRotation(reader, rotation, nowMs)
  return sameJson(decideRotation(rotation.spec, status, facts), next)
}
