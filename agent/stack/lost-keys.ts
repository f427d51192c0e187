// Keys that containers have and the wanted set has not: they hold the stack where another stagelet delivered them.
import { serviceDigest } from '../../src/secrets/digest.ts'
import { visibleTo } from '../../src/secrets/visible.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import { unique } from '../compose/service-model.ts'
import { filesOf } from '../files/stack-files.ts'
import type { ObservedContainer } from '../observed/container.ts'
import type { DeliveredFile, DeliveredKeys } from '../state/delivered-keys.ts'
import type { StackTarget } from '../state/stack-target.ts'

/** What is to run, and what runs. */
interface StackSets {
  readonly target: StackTarget
  readonly containers: readonly ObservedContainer[]
}

/** Keys that containers have and the new set has not, where another stagelet delivered them; sorted. */
const lostIn = (delivered: DeliveredKeys, { target, containers }: StackSets): string[] => {
  const { uid, name } = target.desired
  if (delivered.uid === uid) return []
  const lost = containers.flatMap(({ service, digest }) => {
    const had = delivered.keys[service]?.[digest] ?? []
    if (had.length === 0) return []
    const visible = new Set(visibleTo(service, name, target.entries).map((entry) => entry.key))
    return had.filter((key) => !visible.has(key))
  })
  return unique(lost)
}

/** Why no container may be re-created yet; undefined where no key is lost, or a deploy was asked for. */
export const awaitsLostKeys = async (
  file: DeliveredFile,
  project: string,
  state: StackSets,
): Promise<string | undefined> => {
  const { uid, name, redeploy } = state.target.desired
  const delivered = file.delivered(project)
  if (delivered === undefined) return undefined
  const lost = lostIn(delivered, state)
  if (lost.length === 0) return undefined
  const held = delivered.held?.uid === uid ? delivered.held : { uid, redeploy }
  if (held.redeploy !== redeploy) return undefined
  await file.setDelivered(project, { ...delivered, held })
  return `the containers run on: they were given ${lost.join(', ')} before this stagelet was made, and no secret of that key is there. Apply the missing secrets, or go on without them with "stagely deploy ${name}"`
}

/** To be called before an action, and when the stack is settled: notes the keys of `state.target`. */
export const noteDelivered = async (
  file: DeliveredFile,
  model: Pick<ComposeModel, 'projectName' | 'services' | 'mounts' | 'roots'>,
  { target, containers }: StackSets,
): Promise<void> => {
  const { projectName, services } = model
  const { uid, name: stagelet } = target.desired
  const before = file.delivered(projectName)?.keys ?? {}
  const keys: DeliveredKeys['keys'] = {}
  for (const { name } of services) {
    const running = new Set(containers.filter((c) => c.service === name).map((c) => c.digest))
    const kept = Object.entries(before[name] ?? {}).filter(([digest]) => running.has(digest))
    const visible = visibleTo(name, stagelet, target.entries)
    const digest = serviceDigest(visible)
    const own = digest === undefined ? [] : [[digest, visible.map((e) => e.key)] as const]
    if (kept.length + own.length > 0) keys[name] = Object.fromEntries([...kept, ...own])
  }
  await file.setDelivered(projectName, { uid, keys, files: filesOf(target, model) })
}
