// Starts and ends the loops of the agent's stagelets.
import { background, logFault } from '../../src/kernel/async/background.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { ManualTarget } from '../by-hand/find.ts'
import type { DesiredListener } from '../link/desired.ts'
import type { Reporter } from '../link/report.ts'
import { createStageletLoop, type StageletLoop, type StageletLoopDeps } from './stagelet-loop.ts'

export interface StageletLoops extends DesiredListener {
  readonly owns: (uid: string) => boolean
  readonly logSourceOf: (uid: string) => ReturnType<StageletLoop['logSource']> | undefined
  /** Compose projects that stagelets of this agent have claimed. */
  readonly projects: () => ReadonlySet<string>
  /** The stacks that `stagely compose` can run on. */
  readonly manualTargets: () => ManualTarget[]
  /** Ends all loops, and resolves when running `up`s have finished. Containers stay. */
  stop(): Promise<void>
}

export const createLoops = (
  reporter: Reporter,
  shared: Omit<StageletLoopDeps, 'onChange'>,
): StageletLoops => {
  const deps: StageletLoopDeps = {
    ...shared,
    onChange: (observation) => reporter.changed(observation),
  }
  const loops = new Map<string, StageletLoop>()
  /** Loops that are ending. */
  const leaving = new Map<string, Promise<void>>()
  let stopped = false
  const { stateFile, log } = shared
  const notEnded = logFault(log, 'the work on a stack could not be ended')
  const leave = (uid: string, loop: StageletLoop): Promise<void> => {
    const gone = loop.stop().finally(() => {
      leaving.delete(uid)
      if (!loops.has(uid)) reporter.forget(uid)
    })
    leaving.set(uid, gone)
    return gone
  }
  /** The stagelet may have been deleted by force, so that this agent never released its stack. */
  const forgetState = async (uid: string): Promise<void> => {
    if (loops.has(uid) || leaving.has(uid)) return
    await stateFile
      .forget(uid)
      .catch((error: unknown) =>
        log.warn(
          { stagelet: uid, reason: messageOf(error) },
          'a stagelet that is gone is still noted',
        ),
      )
  }
  return {
    owns: (uid) => loops.has(uid) || leaving.has(uid),
    manualTargets: () =>
      [...loops.values()].flatMap((loop) => {
        const desired = loop.wanted()
        if (desired === undefined) return []
        const { namespace, name, compose } = desired
        return [{ name: `${namespace}/${name}`, directory: compose.directory, run: loop.byHand }]
      }),
    logSourceOf: (uid) => loops.get(uid)?.logSource(),
    projects: () =>
      new Set(
        [...loops.values()].flatMap((loop) => {
          const source = loop.logSource()
          return 'refused' in source ? [] : [source.project]
        }),
      ),
    setDesired: (item, entries, healthy, previous) => {
      if (stopped) return
      let loop = loops.get(item.uid)
      if (loop === undefined) {
        loop = createStageletLoop(deps)
        loops.set(item.uid, loop)
      }
      loop.setDesired(item, entries, healthy, previous)
    },
    forget: (uid) => {
      const loop = loops.get(uid)
      if (loop === undefined) return
      loops.delete(uid)
      reporter.forget(uid)
      background(() => leave(uid, loop).then(() => forgetState(uid)), notEnded)
    },
    only: (uids) => {
      for (const uid of stateFile.uids())
        if (!uids.has(uid)) background(() => forgetState(uid), notEnded)
    },
    stop: async () => {
      stopped = true
      for (const [uid, loop] of loops) background(() => leave(uid, loop), notEnded)
      await Promise.all(leaving.values())
    },
  }
}
