// The names of the keys that containers of a project got. They are kept when a stagelet releases its stack: the next
// stagelet may get its secrets one by one, and must not take keys away from running containers unasked.
import * as z from 'zod'
import { serviceDigest } from '../../src/secrets/digest.ts'
import { visibleTo } from '../../src/secrets/visible.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import { unique } from '../compose/service-model.ts'
import { filesOf } from '../files/stack-files.ts'
import type { ObservedContainer } from '../observed/container.ts'
import type { StackTarget } from './stack-target.ts'

/** The keys of one Compose project. No values. */
export const deliveredKeys = z.object({
  /** Stagelet that delivered them. A key that it loses later was deleted on purpose. */
  uid: z.string(),
  /** Names of keys, by service and digest. */
  keys: z.record(z.string(), z.record(z.string(), z.array(z.string()))),
  /** The user's own paths that file secrets filled, each with its key. */
  files: z.record(z.string(), z.string()).optional(),
  /** Stagelet that waits for lost keys, and its redeploy annotation when the wait began. */
  held: z.object({ uid: z.string(), redeploy: z.string() }).optional(),
})

export type DeliveredKeys = z.infer<typeof deliveredKeys>

export interface DeliveredFile {
  /** The keys that the containers of a Compose project got. */
  delivered(project: string): DeliveredKeys | undefined
  setDelivered(project: string, value: DeliveredKeys): Promise<void>
}

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
