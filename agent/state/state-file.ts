// What the agent remembers of its deployments over a restart, in DIR/state.json. No secrets.
import { mkdir, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as z from 'zod'
import { quarantined, type Quarantined } from '../../src/kinds/observation/schema.ts'
import { messageOf, StagelyError } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { tryParseJson } from '../../src/kernel/record.ts'
import { readIfThere, writeWhole } from '../../src/kernel/whole-file.ts'
import { deliveredKeys, type DeliveredFile } from './delivered-keys.ts'

const deployment = z.object({
  /** Compose project. */
  project: z.string(),
  /** Folder of the stack; absent where an older agent has deployed it. */
  directory: z.string().optional(),
  /** Volumes that the project had before this stagelet: it must not delete them. */
  foundVolumes: z.array(z.string()).optional(),
  /** Services that this agent deployed: a lost one is healed. */
  services: z.array(z.string()),
  /** Value of the redeploy annotation that was last rolled out. */
  redeploy: z.string(),
  /** Signature of the user's files as deployed; '' while that is not known. */
  signature: z.string(),
  /** By service, the hash of the definition that its containers were made from, where it is known. */
  made: z.record(z.string(), z.string()).optional(),
  /** What failed its gate, without the message, which must not be on a disk. */
  quarantine: z.array(quarantined.omit({ message: true })).optional(),
  /** Somebody stopped the whole stack: it stays down. */
  stoppedByHand: z.boolean().optional(),
  /** Services that were seen to run and not to end by themselves, so that they are no jobs. */
  lasting: z.array(z.string()).optional(),
  /** The stagelet is paused: its containers are not changed, nor started after a reboot. */
  paused: z.boolean().optional(),
  /** Healings of the last minutes: a service that was healed too often is left alone also after a restart of the agent. */
  heals: z.array(z.object({ service: z.string(), atMs: z.number() })).optional(),
})
const newerSchema = z.object({ version: z.number().gt(1) })
/**
 * A project that no stagelet has any more: its volumes still belong to this folder. It is kept for good, since volumes
 * stay on the machine as long: without it, a stack of another folder could adopt them. Some 100 bytes each.
 */
const leftover = deployment
  .pick({ directory: true, foundVolumes: true })
  .required({ foundVolumes: true })
const stateSchema = z.object({
  version: z.literal(1),
  stagelets: z.record(z.string(), deployment),
  left: z.record(z.string(), leftover).default({}),
  /** By Compose project. It is kept when the stagelet goes. */
  given: z.record(z.string(), deliveredKeys).default({}),
})
type State = Pick<z.infer<typeof stateSchema>, 'stagelets' | 'left' | 'given'>

export type Deployment = z.infer<typeof deployment>

export interface StateFile extends DeliveredFile {
  get(stageletUid: string): Deployment | undefined
  /** Written through to the disk before it resolves. */
  set(stageletUid: string, value: Deployment): Promise<void>
  /** `isWhole`: nothing is left of its project, no volume either. */
  forget(stageletUid: string, isWhole?: boolean): Promise<void>
  /** What is known of a Compose project that a stagelet had. */
  leftOf(project: string): z.infer<typeof leftover> | undefined
  /** To be called when the containers are gone. */
  forgetDelivered(project: string): Promise<void>
  /** Uids of the stagelets in the file. */
  uids(): string[]
}

/** Throws where a newer agent wrote the file. */
const readState = async (path: string): Promise<State | 'damaged'> => {
  const text = await readIfThere(path)
  if (text === undefined) return { stagelets: {}, left: {}, given: {} }
  const found = tryParseJson(text)
  const state = stateSchema.safeParse(found)
  if (state.success) return state.data
  const { data: newer } = newerSchema.safeParse(found)
  if (newer === undefined) return 'damaged'
  const message = `${path} was written by a newer agent (version ${newer.version}): update this agent`
  throw new StagelyError('InternalError', message)
}

/** Renames a file that a crash of the machine left damaged. The agent adopts the running stacks without it. */
export const putAsideDamaged = async (path: string, log: Logger): Promise<void> => {
  if ((await readState(path)) !== 'damaged') return
  await rename(path, `${path}.damaged`)
  log.warn({}, `${path} is damaged, and is now ${path}.damaged; the agent adopts what runs`)
}

/** Opens the file, or begins a new one. InternalError where it is damaged. */
export const openStateFile = async (path: string): Promise<StateFile> => {
  const found = await readState(path)
  if (found === 'damaged') {
    const message = `${path} is damaged: the agent puts it aside when it starts`
    throw new StagelyError('InternalError', message)
  }
  const { stagelets, left, given } = found
  let writing = Promise.resolve()

  const write = async (): Promise<void> => {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await writeWhole(path, JSON.stringify({ version: 1, stagelets, left, given }), {
        mode: 0o600,
      })
    } catch (error) {
      throw new StagelyError(
        'InternalError',
        `the agent cannot write ${path}, and changes nothing without it (${messageOf(error)}): make room on its disk, or let it write there`,
      )
    }
  }
  let unsaved = false
  const save = (): Promise<void> => {
    const next = writing.then(write)
    writing = next.then(
      () => {
        unsaved = false
      },
      () => {
        unsaved = true
      },
    )
    return next
  }

  const leave = (uid: string): void => {
    const record = stagelets[uid]
    if (record === undefined) return
    const { project, directory, foundVolumes = [] } = record
    left[project] = { directory, foundVolumes }
  }
  const set = async <T>(record: Record<string, T>, name: string, value: T): Promise<void> => {
    // After a failed write, as on a full disk, the next call writes also where nothing is new.
    if (!unsaved && JSON.stringify(record[name]) === JSON.stringify(value)) return
    record[name] = value
    await save()
  }
  const forget = async (record: Record<string, unknown>, name: string): Promise<void> => {
    if (!Object.hasOwn(record, name)) return
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a record from JSON
    delete record[name]
    await save()
  }

  return {
    get: (uid) => stagelets[uid],
    set: (uid, value) => {
      if (stagelets[uid] !== undefined && stagelets[uid].project !== value.project) leave(uid)
      return set(stagelets, uid, value)
    },
    leftOf: (project) => (Object.hasOwn(left, project) ? left[project] : undefined),
    forget: (uid, isWhole = false) => {
      if (!isWhole) leave(uid)
      return forget(stagelets, uid)
    },
    delivered: (project) => (Object.hasOwn(given, project) ? given[project] : undefined),
    setDelivered: (project, value) => set(given, project, value),
    forgetDelivered: (project) => forget(given, project),
    uids: () => Object.keys(stagelets),
  }
}

/** Changes what is remembered of a stack. Does nothing for one that the file does not know yet. */
export const changeDeployment = async (
  file: Pick<StateFile, 'get' | 'set'>,
  stageletUid: string,
  change: Partial<Deployment>,
): Promise<void> => {
  const deployment = file.get(stageletUid)
  if (deployment !== undefined) await file.set(stageletUid, { ...deployment, ...change })
}

/** To be called before a rollback, so that it goes on after a crash of the agent. */
export const saveQuarantine = async (
  file: StateFile,
  stageletUid: string,
  quarantine: readonly Quarantined[],
): Promise<void> => {
  const kept = quarantine.map(({ message: _message, ...rest }) => rest)
  if (kept.length > 0 || file.get(stageletUid)?.quarantine !== undefined)
    await changeDeployment(file, stageletUid, { quarantine: kept })
}
