// The file secrets of one stack: plans their mounts from the wanted set and the user's files, and writes them to the
// tmpfs.
import { visibleTo } from '../../src/secrets/visible.ts'
import { envFilesOf, isFile } from '../../src/compose/files.ts'
import type { StackFault } from '../compose/allowed-folders.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import type { PlacedFile } from './file-cache.ts'
import { planFiles, type FilePlan } from './file-plan.ts'
import type { FileStore } from './file-store.ts'
import type { OpenedSecret, StackTarget } from '../stack/stack-target.ts'

const hasFiles = (target: StackTarget): boolean => target.entries.some((e) => e.type === 'file')

const toPlacedFile = ({ valueDigest, file, value }: OpenedSecret): PlacedFile => ({
  digest: valueDigest,
  mode: Number.parseInt(file?.mode ?? '0600', 8),
  uid: file?.uid ?? 0,
  gid: file?.gid ?? 0,
  value,
})

/** Digests of all file secrets of the set: their files must not be swept. */
export const fileDigests = (entries: readonly OpenedSecret[]): Set<string> =>
  new Set(entries.filter((e) => e.type === 'file').map((e) => e.valueDigest))

const invalid = (message: string): { fault: StackFault } => ({
  fault: { reason: 'FileNotMountable', message },
})

/** The plan of the mounts; undefined where the set has no files. Changes nothing. */
const planFor = (
  target: StackTarget,
  model: ComposeModel,
  store: FileStore,
): FilePlan | undefined => {
  if (!hasFiles(target)) return undefined
  const { desired, entries } = target
  const mounts = 'mounts' in model.mounts ? model.mounts.mounts : undefined
  return planFiles({
    roots: model.roots,
    envFiles: envFilesOf(desired.compose),
    fileTargets: desired.compose.fileTargets ?? [],
    pathOf: (digest) => store.pathOf(desired.uid, digest),
    services: model.services.map(({ name, envFiles }) => ({
      name,
      envFiles,
      mounts: mounts?.get(name) ?? { binds: [], others: [] },
      entries: visibleTo(name, desired.name, entries),
    })),
  })
}

/** Plans the mounts and writes their files. Writes nothing where there is a fault. */
export const prepareFiles = async (
  target: StackTarget,
  model: ComposeModel,
  store: FileStore,
): Promise<{ plan: FilePlan | undefined } | { fault: StackFault }> => {
  const plan = planFor(target, model, store)
  if (plan === undefined) return { plan }
  if (plan.faults.length > 0) return invalid(plan.faults.join('; '))
  // Env files are checked first: their fault is clearer than Compose's.
  if ('fault' in model.mounts) return { fault: model.mounts.fault }
  const here = await Promise.all(plan.mountPoints.map((point) => isFile(point.path)))
  const missing = plan.mountPoints.filter((_, i) => here[i] === false)
  if (missing.length > 0) return invalid(missing.map((point) => point.message).join('; '))
  const fault = await store.place(target.desired.uid, [...plan.files.values()].map(toPlacedFile))
  return fault === undefined ? { plan } : { fault }
}
