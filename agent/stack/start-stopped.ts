// Starts stacks after a reboot without a controller: containers have their environment still, and need only their files
// and a start.
import { append } from '../../src/kernel/append.ts'
import { backoffMs } from '../../src/kernel/backoff.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { isAbort, messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { checkAllowed, type AllowedFolders } from '../compose/allowed-folders.ts'
import type { Engine } from '../docker/engine.ts'
import { observeProject } from '../observed/observe.ts'
import { isDown, isLeftover, type ObservedContainer } from '../observed/container.ts'
import type { ProjectLocks } from '../borders/project-locks.ts'
import type { Deployment, StateFile } from '../state/state-file.ts'

interface StartDeps {
  readonly engine: Engine
  readonly stateFile: StateFile
  readonly locks: ProjectLocks
  readonly folders: AllowedFolders
  readonly log: Logger
}

/** Wait for the controller before stacks are started without it. */
const controllerPatienceMs = 5_000
const again = { baseMs: 2_000, capMs: 60_000 }

/** Dependencies first, by the labels of the containers; in a circle, in any order. */
export const startOrder = (containers: readonly ObservedContainer[]): ObservedContainer[] => {
  const left = [...containers]
  const order: ObservedContainer[] = []
  while (left.length > 0) {
    const services = new Set(left.map((c) => c.service))
    const ready = left.filter(
      (c) => !(c.dependsOn ?? []).some((d) => d !== c.service && services.has(d)),
    )
    const next = ready.length > 0 ? ready : [...left]
    append(order, next)
    for (const c of next) left.splice(left.indexOf(c), 1)
  }
  return order
}

/** False when a container did not start. */
const startProject = async (deps: StartDeps, deployment: Deployment): Promise<boolean> => {
  const { project, services, lasting = [] } = deployment
  const all = await observeProject(deps.engine, project)
  // A program that exits with 0 at a shutdown looks like a job that is done.
  const isEnded = (c: ObservedContainer): boolean =>
    isDown(c) || (c.state === 'exited' && lasting.includes(c.service))
  const down = all.filter((c) => isEnded(c) && !isLeftover(c) && services.includes(c.service))
  let isUp = true
  for (const { id, name, directory } of startOrder(down)) {
    const refused =
      directory === undefined
        ? 'it does not tell the folder that it was made from'
        : (await checkAllowed(directory, deps.folders))?.message
    if (refused !== undefined) {
      deps.log.warn({ project, container: name, reason: refused }, 'not started')
      continue
    }
    try {
      await deps.engine.start(id)
      deps.log.info({ project, container: name }, 'started; the controller is not reachable')
    } catch (error) {
      isUp = false
      deps.log.warn({ project, container: name, reason: messageOf(error) }, 'did not start')
    }
  }
  return isUp
}

/** Starts the containers of these stagelets; returns the stagelets that are not up yet. */
const startAll = async (deps: StartDeps, uids: readonly string[]): Promise<string[]> => {
  const left: string[] = []
  for (const uid of uids) {
    const deployment = deps.stateFile.get(uid)
    if (deployment === undefined) continue
    if (deployment.paused === true || deployment.stoppedByHand === true) continue
    try {
      const isUp = await deps.locks.run(deployment.project, () => startProject(deps, deployment))
      if (!isUp) left.push(uid)
    } catch (error) {
      deps.log.warn({ project: deployment.project, reason: messageOf(error) }, 'cannot look at it')
      left.push(uid)
    }
  }
  return left
}

/**
 * Starts the containers that this agent deployed and that are down, without completed jobs and paused stagelets. One
 * that does not start, as while the engine itself starts, is tried again until the controller takes over.
 */
export const startStopped = async (
  deps: StartDeps,
  by: { clock: Clock; random: () => number; isConnected: () => boolean; signal: AbortSignal },
): Promise<void> => {
  const { clock, random, isConnected, signal } = by
  try {
    await clock.sleep(controllerPatienceMs, signal)
    let left = deps.stateFile.uids()
    for (let attempt = 0; !isConnected(); attempt++) {
      left = await startAll(deps, left)
      if (left.length === 0) return
      await clock.sleep(backoffMs(attempt, again, random), signal)
    }
  } catch (error) {
    if (!isAbort(error)) throw error
  }
}
