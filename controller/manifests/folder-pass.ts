// One pass over the folder: scan it, apply changes, remove objects that are certainly gone.
import type { Clock } from '../../src/kernel/clock.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { Actor, Store } from '../../src/store/store.ts'
import { listOwned } from '../sources/owned.ts'
import { applyFolder } from './apply.ts'
import { createFaultBoard, faultOfFolder } from './folder-faults.ts'
import { decidePrune } from './prune.ts'
import { nothingInIt, scanFolder, type FolderFault, type Scan } from './scan.ts'

interface PassDeps {
  readonly dir: string
  readonly store: Store
  readonly actor: Actor
  readonly log: Logger
  readonly clock: Clock
  readonly pruneAll: boolean
  /** Called with the number of faults after each pass. */
  readonly onFaults?: (count: number) => void
}

/** Pause between a scan that lacks an object and the second scan that confirms it. */
const confirmMs = 500
/** A refusal of the store (an owner, a missing project) may pass without a change of any file. */
const recheckMs = 30_000

/** A function that makes one pass; it returns after how many ms the next one is needed, if soon. */
export const createPass = (deps: PassDeps): (() => Promise<number | undefined>) => {
  const { dir, store, actor, log, clock } = deps
  const board = createFaultBoard(deps)
  const knownFiles = new Map<string, string>()
  const state = { reason: '', fingerprint: '', appliedAt: 0, missing: '', removing: '' }
  let held: FolderFault[] = []

  /** Nothing follows from a missing folder: its objects stay. It is told when the second scan finds the same. */
  const complain = async (reason: string): Promise<number | undefined> => {
    const isNew = reason !== state.reason
    state.reason = reason
    state.missing = ''
    if (isNew) return confirmMs
    const owned = await listOwned(store, actor.source)
    const what = `nothing to apply (${reason}); its objects stay as they are`
    const isFault = owned.length > 0 || reason !== nothingInIt
    await board.show(isFault ? [faultOfFolder(dir, what)] : [], { owned, files: knownFiles })
    state.fingerprint = ''
    return undefined
  }

  const plan = (scan: Scan, owned: readonly KubeObject[]): ReturnType<typeof decidePrune> => {
    const decision = decidePrune({ scan, owned, knownFiles, pruneAll: deps.pruneAll })
    const { heldBack } = decision
    const kept = `${heldBack} of its ${owned.length} objects are no longer in it: more than half, so that nothing is removed until the controller is started with --prune-all`
    held = heldBack === 0 ? [] : [faultOfFolder(dir, kept)]
    return decision
  }

  return async () => {
    const result = await scanFolder(dir, knownFiles)
    if (!result.ok) return await complain(result.reason)
    const { scan } = result
    if (state.reason !== '') log.info({}, 'the folder is back')
    state.reason = ''
    const owned = await listOwned(store, actor.source)
    const { remove } = plan(scan, owned)
    const missing =
      remove.length === 0 ? '' : [scan.fingerprint, ...remove.map((o) => o.metadata.uid)].join(' ')
    const confirmed = missing !== '' && missing === state.missing
    state.missing = missing
    const stale =
      scan.fingerprint !== state.fingerprint || clock.now() - state.appliedAt > recheckMs
    // A refused removal is repeated together with refused writes, not at every pass.
    if (stale || (confirmed && missing !== state.removing)) {
      await apply(scan, { remove: confirmed ? remove : [], owned })
      state.removing = confirmed ? missing : ''
    }
    for (const [key, file] of scan.declared) knownFiles.set(key, file)
    return missing !== '' && !confirmed ? confirmMs : undefined
  }

  async function apply(
    scan: Scan,
    { remove, owned }: { remove: readonly KubeObject[]; owned: readonly KubeObject[] },
  ): Promise<void> {
    const { faults, changed, removed } = await applyFolder(store, actor, scan.documents, remove)
    const all: FolderFault[] = [...held, ...scan.faults, ...faults]
    if (changed + removed > 0)
      log.info({ changed, removed, faults: all.length }, 'manifests applied')
    await board.show(all, { owned, files: knownFiles })
    state.fingerprint = scan.fingerprint
    state.appliedAt = clock.now()
  }
}
