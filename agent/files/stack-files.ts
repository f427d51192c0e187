// The file secrets of one stack: plans their mounts from the wanted set and the user's files, and writes them to the
// tmpfs.
import { lstat } from 'node:fs/promises'
import { visibleTo } from '../../src/secrets/visible.ts'
import { envFilesOf, isFile } from '../../src/compose/files.ts'
import type { StackFault } from '../compose/allowed-folders.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import type { PlacedFile } from './file-cache.ts'
import { filledPaths, planFiles, type FilePlan, type FilePlanInput } from './file-plan.ts'
import type { FileStore } from './file-store.ts'
import type { OpenedSecret, StackTarget } from '../state/stack-target.ts'

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
  const { desired } = target
  return planFiles({
    ...servicesOf(target, model),
    envFiles: envFilesOf(desired.compose),
    fileTargets: desired.compose.fileTargets ?? [],
    pathOf: (digest) => store.pathOf(desired.uid, digest),
  })
}

const servicesOf = (
  { desired, entries }: StackTarget,
  { mounts, roots, services }: FilesModel,
): Pick<FilePlanInput, 'services' | 'roots'> => ({
  roots,
  services: services.map(({ name, envFiles }) => ({
    name,
    envFiles,
    mounts: ('mounts' in mounts ? mounts.mounts.get(name) : undefined) ?? { binds: [], others: [] },
    entries: visibleTo(name, desired.name, entries),
  })),
})

type FilesModel = Pick<ComposeModel, 'mounts' | 'roots' | 'services'>

/** The user's own paths that file secrets of the set fill, each with its key. */
export const filesOf = (target: StackTarget, model: FilesModel): Record<string, string> =>
  hasFiles(target) ? Object.fromEntries(filledPaths(servicesOf(target, model))) : {}

/**
 * A fault where a service mounts a file that a secret filled, and that is no more: the engine would make an empty folder
 * of it, in the user's folder and in the container. `filled`: what secrets filled when the stack was settled last.
 */
export const faultOfGoneFiles = async (
  filled: Readonly<Record<string, string>> | undefined,
  target: StackTarget,
  model: FilesModel,
): Promise<StackFault | undefined> => {
  if (filled === undefined || Object.keys(filled).length === 0) return undefined
  const { services, roots } = servicesOf(target, model)
  const now = filledPaths({ services, roots })
  const messages: string[] = []
  for (const { name, mounts } of services)
    for (const { source } of mounts.binds) {
      const key = filled[source]
      if (key === undefined || now.has(source) || (await isThere(source))) continue
      messages.push(
        `${name} mounts ${source}, which the file secret ${key} filled until now. There is no such file, and Docker would make an empty folder of it: give the secret again, put a file there, or take the mount out of the Compose files`,
      )
    }
  if (messages.length === 0) return undefined
  return { reason: 'FileMissing', message: messages.join('; ') }
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  )

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
