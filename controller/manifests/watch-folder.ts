// A folder of manifests as a source. A file event only triggers a pass: the whole folder is read again
// and stored as one change set. A slow poll finds changes without events (mounts, network file
// systems).
//
// INVARIANTS
// - One pass runs at a time; an event during a pass causes one more pass.
// - Nothing is removed before two equal scans, and never because a folder or file cannot be read.
import { resolve } from 'node:path'
import { watch } from 'chokidar'
import type { Clock } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { waitFor, type ReconcileOutcome } from '../../src/runtime/control-loop.ts'
import { startSingleLoop } from '../../src/runtime/single-loop.ts'
import type { Actor, Store } from '../../src/store/store.ts'
import { createPass } from './folder-pass.ts'

interface FolderSourceOptions {
  readonly dir: string
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  /** True: remove even more than half of the folder's objects. */
  readonly pruneAll?: boolean
  /** Called with the number of faults. */
  readonly onFaults?: (count: number) => void
}

export interface FolderSource {
  /** Resolves when the running pass has ended. */
  stop(): Promise<void>
}

const settleMs = 150
const pollMs = 5_000
const retryMs = 2_000

export const startFolderSource = (options: FolderSourceOptions): FolderSource => {
  const { clock, store, pruneAll = false } = options
  const dir = resolve(options.dir)
  const log = options.log.child({ folder: dir })
  const actor: Actor = { name: 'folder', source: `folder:${dir}`, authority: 'whole' }
  const { onFaults } = options
  const pass = createPass({
    dir,
    store,
    actor,
    log,
    clock,
    pruneAll,
    ...defined({ onFaults }),
  })
  const run = async (): Promise<ReconcileOutcome> => {
    try {
      return waitFor((await pass()) ?? pollMs)
    } catch (error) {
      const message = 'the folder could not be applied; it is tried again'
      log.error({ reason: messageOf(error) }, message)
      return waitFor(retryMs)
    }
  }
  // A program that is writing gets a moment to finish: half a file is useless.
  const loop = startSingleLoop({ clock, log }, { name: 'folder', settleMs, run })
  const watcher = watch(dir, { ignoreInitial: true, followSymlinks: true })
  watcher.on('all', loop.schedule)
  watcher.on('error', (error) =>
    log.warn({ reason: messageOf(error) }, 'cannot watch the folder; it is polled'),
  )
  loop.runNow()
  return {
    stop: async () => {
      await Promise.all([loop.stop(), watcher.close()])
    },
  }
}
