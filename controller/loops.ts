// What only the leader runs, and anew in each term: its writes carry the term. Not here are loops that
// any number of replicas may run: the audit linker (under the lock of the chain) and key rotations
// (each under a lease of its own).
import type { Clock } from '../src/kernel/clock.ts'
import type { Logger } from '../src/kernel/log.ts'
import type { Opened } from '../src/store/open-store.ts'
import type { Config } from './config.ts'
import { startSweep } from './http/agents/replicas.ts'
import type { Metrics } from './http/metrics.ts'
import type { Loops } from './leader.ts'
import { startFolderSource } from './manifests/watch-folder.ts'
import { startReconcilers } from './reconcilers/start.ts'

export interface LoopsDeps extends Pick<Opened, 'store' | 'connections'>, Pick<Metrics, 'onRun'> {
  readonly clock: Clock
  readonly log: Logger
}

/** Without a term there is no other replica. */
export const startLoops = (
  { manifestsDir: dir, pruneAll }: Pick<Config, 'manifestsDir' | 'pruneAll'>,
  deps: LoopsDeps,
  term: number | undefined,
): Loops => {
  const store = term === undefined ? deps.store : deps.store.asLeader(term)
  const common = { ...deps, store }
  const loops: Loops[] = [startReconcilers(common), startSweep(common)]
  if (dir !== undefined) loops.push(startFolderSource({ ...common, dir, pruneAll }))
  return {
    stop: async () => {
      await Promise.all(loops.map((loop) => loop.stop()))
    },
  }
}
