// What an edit of a stack means for containers, where only the agent can know which: in words. Pure.
import type { JsonValue } from '../../actions/text.ts'
import type { Spec } from '../../actions/kinds.ts'
import { isSpec } from './values.ts'

const moving = [
  ['agentRef', 'name'],
  ['compose', 'projectName'],
  ['compose', 'directory'],
] as const

/** `before`, `after`: manifests. undefined: the computed impact is all. */
export const stackEffect = (before: Spec, after: Spec): string | undefined => {
  const differs = (...path: readonly string[]): boolean => {
    const textIn = (object: Spec): string | undefined =>
      JSON.stringify(
        ['spec', ...path].reduce<JsonValue | undefined>(
          (at, key) => (isSpec(at) ? at[key] : undefined),
          object,
        ),
      )
    return textIn(before) !== textIn(after)
  }
  if (moving.some((path) => differs(...path)))
    return 'The stack moves: its containers at the old place stay as they are; the new place starts all of its services.'
  if (!differs('compose')) return undefined
  const spec = isSpec(after['spec']) ? after['spec'] : {}
  return isSpec(spec['compose']) && spec['compose']['onChange'] === 'Deploy'
    ? 'The agent then reads the Compose files anew, and re-creates the services that differ.'
    : 'The agent then reads the Compose files anew. Services that differ are shown as held edits on the page of the stack, until somebody deploys them.'
}
