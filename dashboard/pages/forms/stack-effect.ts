// What an edit of a stack means for containers, where only the agent can know which: in words. Pure.
import type { Spec } from '../../actions/kinds.ts'
import { partOf } from './values.ts'

const stackOf = (manifest: Spec) => {
  const spec = partOf(manifest, 'spec')
  const compose = partOf(spec, 'compose')
  const { projectName, directory } = compose
  return {
    agent: partOf(spec, 'agentRef')['name'],
    /** As the controller tells Compose projects apart: the folder counts only where no name is given. */
    project: JSON.stringify(projectName === undefined ? { directory } : { projectName }),
    compose,
  }
}

/** `before`, `after`: manifests. undefined: the computed impact is all. */
export const stackEffect = (before: Spec, after: Spec): string | undefined => {
  const [previous, next] = [stackOf(before), stackOf(after)]
  if (previous.agent !== next.agent)
    return 'The stack moves: its containers at the old place stay as they are; the new place starts all of its services.'
  if (previous.project !== next.project)
    return 'The agent then reads the Compose files anew. Where the Compose project gets another name, its containers stay as they are, and the agent starts no others until somebody takes the old project down on the machine. Then all services start, with new volumes.'
  if (JSON.stringify(previous.compose) === JSON.stringify(next.compose)) return undefined
  return next.compose['onChange'] === 'Deploy'
    ? 'The agent then reads the Compose files anew, and re-creates the services that differ.'
    : 'The agent then reads the Compose files anew. Services that differ are shown as held edits on the page of the stack, until somebody deploys them.'
}
