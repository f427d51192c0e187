// The page of conditions, with their reasons and remedies.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { generatedMark } from './mark.ts'

type Reasons = Readonly<Record<string, { readonly when: string; readonly remedy?: string }>>

export interface ConditionTable {
  readonly conditions: Readonly<
    Record<string, Readonly<Record<string, { readonly says: string; readonly reasons: Reasons }>>>
  >
  /** Of events and notices that are no reason of a condition. */
  readonly events: Reasons
}

const linesOf = (reasons: Reasons): string =>
  Object.entries(reasons)
    .map(([reason, { when, remedy }]) => {
      const more = remedy === undefined ? '' : ` *Remedy:* ${remedy}`
      return `- **${reason}**: ${when}${more}\n`
    })
    .join('')

export const readConditions = (): ConditionTable =>
  parse(readFileSync(new URL('./conditions.yaml', import.meta.url), 'utf8')) as ConditionTable

export const renderConditions = (): string => {
  const { conditions, events } = readConditions()
  const sections = Object.entries(conditions).map(([kind, types]) => {
    const parts = Object.entries(types).map(
      ([type, { says, reasons }]) => `### ${kind} ${type}\n\n${says}\n\n${linesOf(reasons)}\n`,
    )
    return `## ${kind}\n\n${parts.join('')}`
  })
  return `# Conditions and reasons

${generatedMark('scripts/reference/conditions.yaml')}

What each condition of \`stagely describe\` says, and what to do. A condition is \`True\`, \`False\` or \`Unknown\`. Its message names the object, the cause and often the remedy.

Any of them may be \`Unknown\` with the reason **ReconcileFailed**: the controller fails each time that it judges the object, so that what it said before may be wrong. *Remedy:* Its log has "reconcile failed", and why. The condition is judged again with the next change, and every few minutes.

${sections.join('')}## Events and notices

Events that are no condition, and reasons of notices. \`stagely activity\` and \`stagely get events\` show them.

${linesOf(events)}`
}
