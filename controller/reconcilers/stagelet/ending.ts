// The end of a stagelet with spec.ttl, as the reconciler judges it: pure.
import { findCondition } from '../../../src/resources/conditions.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { endingOf, type StageletEnding } from '../../../src/kinds/stagelet/end.ts'
import { annotations } from '../../../src/resources/meta.ts'
import { isDeclaring } from '../../../src/store/objects/admission.ts'
import type { StageletInput } from './facts.ts'

interface EndingNow extends Pick<StageletEnding, 'isOver' | 'nextAt'> {
  readonly verdicts: { readonly Ending?: StageletEnding['verdict'] }
}

const none: EndingNow = { verdicts: {}, isOver: false, nextAt: undefined }

/** A stagelet that is being deleted has come to its end already. */
export const endingIn = ({
  stagelet,
  nowMs,
}: Pick<StageletInput, 'stagelet' | 'nowMs'>): EndingNow => {
  const { deletionTimestamp, annotations: notes } = stagelet.metadata
  if (deletionTimestamp !== undefined) return none
  const source = notes?.[annotations.source] ?? ''
  const declaredBy = isDeclaring(source) ? source : undefined
  const ending = endingOf(stagelet, { nowMs, declaredBy })
  if (ending === undefined) return none
  const { verdict, ...rest } = ending
  return { ...rest, verdicts: { Ending: verdict } }
}

/** The event where the condition has become true, or true for another reason. */
export const endingEvent = (
  before: StageletStatus | undefined,
  next: StageletStatus,
): { readonly reason: 'EndNear' | 'Ended'; readonly message: string } | undefined => {
  const old = findCondition(before?.conditions, 'Ending')
  const now = findCondition(next.conditions, 'Ending')
  if (now?.status !== 'True' || now.reason === old?.reason) return undefined
  return { reason: now.reason === 'Ended' ? 'Ended' : 'EndNear', message: now.message }
}
