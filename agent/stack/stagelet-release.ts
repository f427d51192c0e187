// Releases a stack: leaves it running, or takes it down.
import { messageOf } from '../../src/kernel/errors.ts'
import type { DesiredStagelet } from '../../src/protocol/messages.ts'
import { removeCopy } from '../borders/folder-copy.ts'
import type { StackFault } from '../compose/allowed-folders.ts'
import { removeImages } from '../compose/chosen-images.ts'
import { composeFault } from '../compose/compose-fault.ts'
import { projectClaimOf } from '../borders/project-claim.ts'
import {
  claim,
  readModel,
  retryLater,
  resyncMs,
  stopWith,
  type PassDeps,
} from './stagelet-observe.ts'
import type { StackCell, StackChange, StackState } from '../state/stack-state.ts'
import { failedUp } from '../actions/compose-up.ts'

/** How taking down ended: done, failed, to be looked at again after so many ms, or nothing was to be done. */
type DownResult = 'down' | 'failed' | { readonly stop: number } | { readonly nothing: string }

/** Removes the volumes of the project, without those that it had before this stagelet. */
const removeVolumes = async (
  { engine }: PassDeps,
  { foundVolumes }: StackState,
  project: string,
): Promise<void> => {
  for (const name of await engine.listVolumes(project))
    if (!foundVolumes.includes(name)) await engine.removeVolume(name)
}

/** Takes the stack down; returns why that failed. The project's labels tell Compose what belongs to it. */
const takeDown = async (
  deps: PassDeps,
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

/** Takes down what this stagelet has deployed or what runs from its folder, and nothing else. */
const bringDown = async (deps: PassDeps, cell: StackCell): Promise<DownResult> => {
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

/** Removes what the agent has made for the stagelet. A folder that it made goes with the volumes: both hold data. */
const removeOwnFiles = async (
  { imagesFile, folders }: PassDeps,
  { uid, compose: { directory }, release: policy, releaseVolumes }: DesiredStagelet,
): Promise<StackFault | undefined> => {
  try {
    await removeImages(imagesFile(uid))
    if (policy === 'Down' && releaseVolumes === true) await removeCopy({ uid, directory }, folders)
    return undefined
  } catch (error) {
    const message = `${directory} cannot be removed: ${messageOf(error)}`
    return { reason: 'DirectoryNotAllowed', message }
  }
}

/** Returns in how many ms to look again; the phase is Released when it is done. */
export const release = async (deps: PassDeps, cell: StackCell): Promise<number> => {
  const { desired } = cell.state.target
  let ending: DownResult | undefined
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
  const isWhole = ending === 'down' && desired.releaseVolumes === true
  const unremoved = await removeOwnFiles(deps, desired)
  if (unremoved !== undefined) return stopWith(cell, unremoved)
  // Files that running containers mount stay as long as the containers.
  await deps.files.sweep(desired.uid, new Set())
  await deps.stateFile.forget(desired.uid, isWhole && cell.state.foundVolumes.length === 0)
  deps.locks.release(desired.uid)
  const fault =
    typeof ending === 'object' && 'nothing' in ending
      ? { reason: 'NothingTakenDown', message: `nothing was taken down: ${ending.nothing}` }
      : undefined
  cell.put({ fault, phase: 'Released' })
  return resyncMs
}
