// The loop of key rotations: they run on every replica, each under a lease, batch after batch.
import type { Clock } from '../../src/kernel/clock.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { waitFor } from '../../src/runtime/control-loop.ts'
import { startSingleLoop, type SingleLoop } from '../../src/runtime/single-loop.ts'
import type { KeyStore } from '../../src/store/keys/key-store.ts'

/** Another replica may have begun a rotation, and a lease may have run out. */
const idleMs = 5_000

export const startKeyWork = (
  keys: Pick<KeyStore, 'workRound' | 'onRequested'>,
  deps: { readonly clock: Clock; readonly log: Logger },
): Pick<SingleLoop, 'stop'> => {
  const run = async () => waitFor((await keys.workRound()) ? 0 : idleMs)
  const loop = startSingleLoop(deps, { name: 'key rotations', run })
  keys.onRequested = loop.runNow
  loop.runNow()
  return loop
}
