// Releases a stack: leaves it running, or takes it down.
import { composeFault } from '../compose/compose-fault.ts'
import { projectClaimOf } from './project-claim.ts'
import { claim, readModel, retryLater, resyncMs, stopWith } from './stagelet-observe.ts'
import type { PassDeps } from './stagelet-observe.ts'
import type { StackCell } from './stack-state.ts'
import { takeDown } from '../actions/take-down.ts'

type ContainerExit = 'down' | 'failed' | { readonly stop: number } | { readonly nothing: string }

/** Takes down what this stagelet has deployed or what runs from its folder, and nothing else. */
const bringDown = async (deps: PassDeps, cell: StackCell): Promise<ContainerExit> => {
  const { uid } = cell.state.target.desired
  const deployed = deps.stateFile.get(uid)?.project
  const read = await readModel(deps, cell.state)
  cell.put(read)
  const { model } = read
  const project = deployed ?? model?.projectName
  if (project === undefined || project === '')
    return { nothing: read.fault?.message ?? 'this agent has deployed nothing of it' }
  const { fault, ...claimed } = await claim(deps, cell.state, projectClaimOf(project, model))
  cell.put(claimed)
  if (fault !== undefined && deployed !== undefined) return { stop: stopWith(cell, fault) }
  if (fault !== undefined) return { nothing: fault.message }
  if (deployed === undefined && cell.state.containers.length === 0)
    return { nothing: 'this agent has deployed nothing of it' }
  const absent = await composeFault(deps.compose)
  if (absent !== undefined) return { stop: stopWith(cell, absent) }
  const failed = await deps.locks.run(project, () => {
    cell.publish({ phase: 'Applying' })
    return takeDown(deps, cell.state, project)
  })
  cell.put(failed ?? {})
  return failed === undefined ? 'down' : 'failed'
}

/** Returns in how many ms to look again; the phase is Released when it is done. */
export const release = async (deps: PassDeps, cell: StackCell): Promise<number> => {
  const { desired } = cell.state.target
  let ending: ContainerExit | undefined
  if (desired.release === 'Down') {
    if (desired.paused) {
      cell.put({ phase: 'Paused' })
      return resyncMs
    }
    ending = await bringDown(deps, cell)
    if (ending === 'failed') return retryLater(deps, cell)
    if (typeof ending === 'object' && 'stop' in ending) return ending.stop
    cell.put({ containers: [] })
    const { claimed } = cell.state
    if (claimed !== undefined) await deps.stateFile.forgetDelivered(claimed.project)
  }
  // Files that running containers mount stay as long as the containers.
  await deps.files.sweep(desired.uid, new Set())
  await deps.stateFile.forget(desired.uid)
  deps.locks.release(desired.uid)
  const fault =
    typeof ending === 'object' && 'nothing' in ending
      ? { reason: 'NothingTakenDown', message: `nothing was taken down: ${ending.nothing}` }
      : undefined
  cell.put({ fault, phase: 'Released' })
  return resyncMs
}
