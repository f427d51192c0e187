// The condition ReportCut: the report of the agent holds more than is kept. Pure.
import { findCondition } from '../../../src/resources/conditions.ts'
import type { CutField } from '../../../src/kinds/observation/schema.ts'
import type { SeenInput } from './facts.ts'
import { no, yes, type Verdict } from '../verdict.ts'

const mostNamed = 10

const describeCut = ({ field, had, kept }: CutField): string => `${field} (${had}, kept ${kept})`

/** Undefined where nothing was ever cut. */
export const reportCut = ({
  observation: { cut = [] },
  stagelet,
}: SeenInput): Verdict | undefined => {
  if (cut.length === 0) {
    const wasCut = findCondition(stagelet.status?.conditions, 'ReportCut') !== undefined
    return wasCut ? no('Whole', 'the report of the agent is kept whole') : undefined
  }
  const more = cut.length > mostNamed ? ` and ${cut.length - mostNamed} more` : ''
  const named = cut.slice(0, mostNamed).map(describeCut).join(', ')
  return yes(
    'TooLarge',
    `the report of the agent holds more than is kept: ${named}${more}. What was left out is not looked at: divide the stack, or look at the machine of agent "${stagelet.spec.agentRef.name}" if it has no such stack`,
  )
}
