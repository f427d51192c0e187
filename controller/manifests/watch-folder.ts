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
import { createWaker } from '../../src/kernel/waker.ts'
import type { Actor, Store } from '../../src/store/store.ts'
import { createPass } from './folder-pass.ts'

export interface FolderSourceOptions {
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
  const actor: Actor = { name: 'folder', source: `folder:${dir}` }
  const stopping = new AbortController()
  // A program that is writing gets a moment to finish: half a file is useless.
  const waker = createWaker(clock, { settleMs, signal: stopping.signal })
  const { onFaults } = options
  const pass = createPass({
    ...{ dir, store, actor, log, clock, pruneAll },
    ...defined({ onFaults }),
  })
  const watcher = watch(dir, { ignoreInitial: true, followSymlinks: true })
  watcher.on('all', waker.poke)
  watcher.on('error', (error) =>
    log.warn({ reason: messageOf(error) }, 'cannot watch the folder; it is polled'),
  )

  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      waker.begin()
      const again = await pass().catch((error: unknown) => {
        log.error(
          { reason: messageOf(error) },
          'the folder could not be applied; it is tried again',
        )
        return retryMs
      })
      await waker.rest(again ?? pollMs)
    }
  }
  const running = loop()

  return {
    stop: async () => {
      stopping.abort()
      await watcher.close()
      await running
    },
  }
}
