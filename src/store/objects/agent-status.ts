// The times in the status of an Agent that follow from its spec: since when it is paused or drained.
import { withStatusOwner } from '../../managed-fields/status.ts'
import { defined } from '../../kernel/defined.ts'
import type { KubeObject } from '../../resources/meta.ts'
import { specOf, ofKind } from '../../resources/typed.ts'
import { sameJson } from '../../kernel/same-json.ts'

/** `now` where the flag is new; the known time while it stays. */
const sinceOf = (
  is: boolean | undefined,
  was: boolean | undefined,
  { known, now }: { readonly known: string | undefined; readonly now: string },
): string | undefined => (is === true ? (was === true ? known : now) : undefined)

/** The object with the status that follows from its new spec. */
export const withAgentTimes = (
  object: KubeObject,
  before: KubeObject | undefined,
  now: string,
): KubeObject => {
  const { spec, status = {} } = ofKind('Agent', object)
  const was = before && specOf('Agent', before)
  const { pausedSince, drainedSince, ...rest } = status
  const times = defined({
    pausedSince: sinceOf(spec?.paused, was?.paused, { known: pausedSince, now }),
    drainedSince: sinceOf(spec?.drained, was?.drained, { known: drainedSince, now }),
  })
  const next = { ...rest, ...times }
  if (sameJson(next, status)) return object
  return withStatusOwner({ ...object, status: next }, before, now)
}
