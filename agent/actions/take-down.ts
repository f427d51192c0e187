// Takes a stack down. A failure of Compose is returned and not thrown.
import type { ActionDeps } from './action.ts'
import type { StackChange, StackState } from '../stack/stack-state.ts'
import { failedUp } from './compose-up.ts'

/** Removes the volumes of the project, without those that it had before this stagelet. */
const removeVolumes = async (
  { engine }: ActionDeps,
  { foundVolumes }: StackState,
  project: string,
): Promise<void> => {
  for (const name of await engine.listVolumes(project))
    if (!foundVolumes.includes(name)) await engine.removeVolume(name)
}

/** Takes the stack down; returns why that failed. The project's labels tell Compose what belongs to it. */
export const takeDown = async (
  deps: ActionDeps,
  state: StackState,
  project: string,
): Promise<StackChange | undefined> => {
  try {
    const { base, mask, desired } = state.target
    const volumes = desired.releaseVolumes === true
    // Not in a user's folder: Compose would take down only what a compose file there names.
    await deps.compose.run({
      flags: ['-p', project],
      verb: ['down', ...(volumes && state.foundVolumes.length === 0 ? ['--volumes'] : [])],
      cwd: '/proc',
      env: base,
      mask,
      timeoutMs: deps.upDeadlineMs,
    })
    if (volumes && state.foundVolumes.length > 0) await removeVolumes(deps, state, project)
    return undefined
  } catch (error) {
    return await failedUp(deps, state, error)
  }
}
