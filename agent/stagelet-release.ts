// Letting go of a stack: left running, or taken down.
import { composeFault } from './compose-model.ts'
import {
  findForeign,
  noteFailure,
  observe,
  readModel,
  resyncMs,
  stopWith,
} from './stagelet-looks.ts'
import type { PassDeps } from './stagelet-looks.ts'
import type { StackState } from './stack-state.ts'
import { takeDown } from './stagelet-action.ts'

/** Returns in how many ms to look again; `state.phase` is Released when it is done. */
export const release = async (deps: PassDeps, state: StackState): Promise<number> => {
  const { desired } = state.want
  if (desired.release === 'Down') {
    if (desired.paused) {
      state.phase = 'Paused'
      return resyncMs
    }
    const known = deps.stateFile.get(desired.uid)?.project ?? desired.compose.projectName
    const project = known ?? (await readModel(deps, state))?.projectName
    if (project !== undefined && project !== '') {
      await observe(deps, state, project)
      const foreign = await findForeign(state.containers, deps.allowDirs)
      if (foreign !== undefined) return stopWith(state, foreign.reason, foreign.message)
      const absent = await composeFault(deps.compose)
      if (absent !== undefined) return stopWith(state, absent.reason, absent.message)
      const result = await deps.locks.run(project, () => takeDown(deps, state, project))
      if (result === 'failed') return noteFailure(deps, state)
    }
    state.containers = []
  }
  // What containers that are left running mount stays as long as they do.
  await deps.files.sweep(desired.uid, new Set())
  await deps.stateFile.forget(desired.uid)
  deps.locks.release(desired.uid)
  state.fault = undefined
  state.phase = 'Released'
  return resyncMs
}
