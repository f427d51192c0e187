// From nothing to a stack that runs: which steps are done, as far as it is known. Pure.
import type { Agent, Project, Stagelet } from '../../../src/generated/rest-types.ts'
import { conditionOf } from '../../live/states.ts'
import { isConnected } from '../agents/agent-state.ts'

interface World {
  readonly projects: readonly Pick<Project, 'team' | 'name' | 'secrets'>[]
  readonly agents: readonly Agent[]
  readonly stacks: readonly Stagelet[]
}

export interface FirstSteps {
  readonly project: World['projects'][number] | undefined
  readonly agent: Agent | undefined
  readonly stack: Stagelet | undefined
  readonly hasSecret: boolean
  readonly isInSync: boolean
}

const inSync = (stack: Stagelet): boolean =>
  conditionOf(stack, 'SecretsInSync')?.status === 'True' && stack.running_revision !== undefined

/** What was made first counts; a machine counts once it is connected. */
export const firstSteps = ({ projects, agents, stacks }: World): FirstSteps => {
  const stack = stacks.find(inSync) ?? stacks[0]
  const project =
    projects.find(({ team, name }) => team === stack?.team && name === stack.project) ??
    projects.find(({ secrets }) => secrets > 0) ??
    projects[0]
  return {
    stack,
    project,
    agent: agents.find(isConnected),
    hasSecret: (project?.secrets ?? 0) > 0,
    isInSync: stack !== undefined && inSync(stack),
  }
}

/** Until the first stack was healthy with secrets; whoever has several knows the way. Drift later is no first run. */
export const isFirstRun = (world: World): boolean => {
  const { stack, hasSecret } = firstSteps(world)
  const hasRun = hasSecret && stack?.healthy_revision !== undefined
  return world.stacks.length < 2 && world.projects.length < 2 && !hasRun
}
