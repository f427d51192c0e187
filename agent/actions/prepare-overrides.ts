// Prepares the override of each service: checks its values, and writes its files.
import type { ServiceOverride } from '../../src/compose/override.ts'
import type { StackFault } from '../compose/allowed-folders.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import type { FileStore } from '../files/file-store.ts'
import { faultOfGoneFiles, prepareFiles } from '../files/stack-files.ts'
import type { DeliveredFile } from '../state/delivered-keys.ts'
import { serviceDigest } from '../../src/secrets/digest.ts'
import { visibleTo } from '../../src/secrets/visible.ts'
import type { ServicePlan } from '../files/file-plan.ts'
import type { StackTarget } from '../state/stack-target.ts'
import { describeFaults, validateValues } from '../compose/validate-values.ts'

export interface Prepared {
  readonly overrides: readonly ServiceOverride[]
  /** Keys of file secrets that no service mounts. */
  readonly unmounted: readonly string[]
}

/** The secrets of each service, without services that see none. */
export const overridesFor = (
  target: StackTarget,
  services: readonly string[],
  files?: ReadonlyMap<string, ServicePlan>,
): ServiceOverride[] =>
  services.flatMap((service) => {
    const visible = visibleTo(service, target.desired.name, target.entries)
    const digest = serviceDigest(visible)
    if (digest === undefined) return []
    const { mounts = [], variables = [] } = files?.get(service) ?? {}
    const entries = [...visible.filter((e) => e.type === 'env'), ...variables]
    return [{ service, digest, entries, mounts }]
  })

/** The overrides, or a fault; with a fault no file is written. */
export const prepareOverrides = async (
  target: StackTarget,
  model: ComposeModel,
  {
    files,
    stateFile,
  }: { readonly files: FileStore; readonly stateFile: Pick<DeliveredFile, 'delivered'> },
): Promise<Prepared | { readonly fault: StackFault }> => {
  const { files: filled } = stateFile.delivered(model.projectName) ?? {}
  const gone = await faultOfGoneFiles(filled, target, model)
  if (gone !== undefined) return { fault: gone }
  const prepared = await prepareFiles(target, model, files)
  if ('fault' in prepared) return prepared
  const names = model.services.map((s) => s.name)
  const overrides = overridesFor(target, names, prepared.plan?.services)
  const faults = overrides.flatMap((o) => validateValues(o.service, o.entries))
  return faults.length > 0
    ? { fault: { reason: 'ValueInvalid', message: describeFaults(faults) } }
    : { overrides, unmounted: prepared.plan?.unmounted ?? [] }
}
