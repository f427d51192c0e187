// Releases a stack: leaves it running, or takes it down.
import { composeFault } from '../compose/compose-fault.ts'
import { claimOf } from './project-claim.ts'
import { claim, noteFailure, readModel, resyncMs, stopWith } from './stagelet-observe.ts'
import type { PassDeps } from './stagelet-observe.ts'
import type { StackState } from './stack-state.ts'
import { takeDown } from '../actions/take-down.ts'

type ContainerExit = 'down' | 'failed' | { readonly stop: number } | { readonly nothing: string }

/** Takes down what this stagelet has deployed or what runs from its folder, and nothing else. */
const bringDown = async (deps: PassDeps, state: StackState): Promise<ContainerExit> => {
  const { uid } = state.want.desired
  const deployed = deps.stateFile.get(uid)?.project
  const model = await readModel(deps, state)
  const project = deployed ?? model?.projectName
  if (project === undefined || project === '')
    return { nothing: state.fault?.message ?? 'this agent has deployed nothing of it' }
  const fault = await claim(deps, state, claimOf(project, model))
  if (fault !== undefined && deployed !== undefined)
    return { stop: stopWith(state, fault.reason, fault.message) }
  if (fault !== undefined) return { nothing: fault.message }
  if (deployed === undefined && state.containers.length === 0)
    return { nothing: 'this agent has deployed nothing of it' }
  const absent = await composeFault(deps.compose)
  if (absent !== undefined) return { stop: stopWith(state, absent.reason, absent.message) }
  const result = await deps.locks.run(project, () => takeDown(deps, state, project))
  return result === 'failed' ? 'failed' : 'down'
}

/** Returns in how many ms to look again; `state.phase` is Released when it is done. */
export const release = async (deps: PassDeps, state: StackState): Promise<number> => {
  const { desired } = state.want
  let ending: ContainerExit | undefined
  if (desired.release === 'Down') {
    if (desired.paused) {
      state.phase = 'Paused'
      return resyncMs
    }
    ending = await bringDown(deps, state)
    if (ending === 'failed') return noteFailure(deps, state)
    if (typeof ending === 'object' && 'stop' in ending) return ending.stop
    state.containers = []
    if (state.claimed !== undefined) await deps.stateFile.forgetDelivered(state.claimed.project)
  }
  // Files that running containers mount stay as long as the containers.
  await deps.files.sweep(desired.uid, new Set())
  await deps.stateFile.forget(desired.uid)
  deps.locks.release(desired.uid)
  const message = typeof ending === 'object' && 'nothing' in ending ? ending.nothing : undefined
  state.fault =
    message === undefined
      ? undefined
      : { reason: 'NothingTakenDown', message: `nothing was taken down: ${message}` }
  state.phase = 'Released'
  return resyncMs
}
