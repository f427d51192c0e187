// What the agent must remember of its deployments over a restart: DIR/state.json. No secrets.
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { quarantined, type Quarantined } from '../src/resources/observation.ts'
import { StagelyError } from '../src/kernel/errors.ts'
import type { Logger } from '../src/kernel/log.ts'
import { deliveredKeys, type DeliveredKeys } from './delivered-keys.ts'
import type { Heal } from './heal-guard.ts'

const deployment = z.object({
  /** Compose project. */
  project: z.string(),
  /** Folder of the stack; absent where an older agent has deployed it. */
  directory: z.string().optional(),
  /** Volumes of the project that were there before: they are not this stagelet's to delete. */
  foundVolumes: z.array(z.string()).optional(),
  /** Services that were deployed from here: their loss is healed. */
  services: z.array(z.string()),
  /** Value of the redeploy annotation that was last rolled out. */
  redeploy: z.string(),
  /** Signature of the user's files as deployed; '' while that is not known. */
  signature: z.string(),
  /** By service, the hash of the definition that its containers were made of, as far as that is known. */
  made: z.record(z.string(), z.string()).optional(),
  /** What failed its gate; without what it said, which is not for a disk. */
  quarantine: z.array(quarantined.omit({ message: true })).optional(),
  /** Somebody stopped the whole stack: it stays so. */
  stoppedByHand: z.boolean().optional(),
  /** Services that were seen to run and not to end by themselves: no jobs. */
  lasting: z.array(z.string()).optional(),
  /** Not to be touched, nor started after a reboot. */
  paused: z.boolean().optional(),
  /** Healing of the last minutes: what flaps goes on being left alone after a restart of the agent. */
  heals: z.array(z.object({ service: z.string(), atMs: z.number() })).optional(),
})
const newerSchema = z.object({ version: z.number().gt(1) })
/** What is left of a project that a stagelet no longer has: its volumes are still those of this folder. */
const leftover = deployment
  .pick({ directory: true, foundVolumes: true })
  .required({ foundVolumes: true })
const stateSchema = z.object({
  version: z.literal(1),
  stagelets: z.record(z.string(), deployment),
  left: z.record(z.string(), leftover).default({}),
  /** By Compose project: outlives the stagelets. */
  given: z.record(z.string(), deliveredKeys).default({}),
})
type State = Pick<z.infer<typeof stateSchema>, 'stagelets' | 'left' | 'given'>

export type Deployment = z.infer<typeof deployment>

export interface StateFile {
  get(stageletUid: string): Deployment | undefined
  /** Written through to the disk before it resolves. */
  set(stageletUid: string, value: Deployment): Promise<void>
  forget(stageletUid: string): Promise<void>
  /** Of a Compose project that a stagelet has had, however it came to have it no longer. */
  leftOf(project: string): z.infer<typeof leftover> | undefined
  /** What the containers of a Compose project were given. */
  delivered(project: string): DeliveredKeys | undefined
  setDelivered(project: string, value: DeliveredKeys): Promise<void>
  /** There are no such containers any more. */
  forgetDelivered(project: string): Promise<void>
  /** Uids that are remembered. */
  uids(): string[]
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

/** undefined where it is none. */
const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Throws for one of a newer agent. */
const readState = async (path: string): Promise<State | 'damaged'> => {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (text === undefined) return { stagelets: {}, left: {}, given: {} }
  const found = parseJson(text)
  const state = stateSchema.safeParse(found)
  if (state.success) return state.data
  const { data: newer } = newerSchema.safeParse(found)
  if (newer === undefined) return 'damaged'
  const message = `${path} was written by a newer agent (version ${newer.version}): update this agent`
  throw new StagelyError('InternalError', message)
}

/** What a crash of the machine left half written is of no use: what runs is adopted without it. */
export const putAsideDamaged = async (path: string, log: Logger): Promise<void> => {
  if ((await readState(path)) !== 'damaged') return
  await rename(path, `${path}.damaged`)
  log.warn({}, `${path} is damaged, and is now ${path}.damaged; the agent adopts what runs`)
}

/** Opens the file, or begins a new one. InternalError when it holds something else. */
export const openStateFile = async (path: string): Promise<StateFile> => {
  const found = await readState(path)
  if (found === 'damaged') {
    const message = `${path} is damaged: the agent puts it aside when it starts`
    throw new StagelyError('InternalError', message)
  }
  const { stagelets, left, given } = found
  let writing = Promise.resolve()

  const write = async (): Promise<void> => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const temporary = `${path}.new`
    const file = await open(temporary, 'w', 0o600)
    try {
      await file.writeFile(JSON.stringify({ version: 1, stagelets, left, given }))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
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
    const known = stagelets[uid]
    if (known === undefined) return
    const { project, directory, foundVolumes = [] } = known
    left[project] = { directory, foundVolumes }
  }
  const set = async <T>(record: Record<string, T>, name: string, value: T): Promise<void> => {
    // What a full disk has refused is written with the next one, also where nothing is new.
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
    forget: (uid) => {
      leave(uid)
      return forget(stagelets, uid)
    },
    delivered: (project) => (Object.hasOwn(given, project) ? given[project] : undefined),
    setDelivered: (project, value) => set(given, project, value),
    forgetDelivered: (project) => forget(given, project),
    uids: () => Object.keys(stagelets),
  }
}

/** Lost only with the process, where the stack is not known yet. */
export const saveHeals = async (
  file: StateFile,
  stageletUid: string,
  heals: readonly Heal[],
): Promise<void> => {
  const known = file.get(stageletUid)
  if (known !== undefined) await file.set(stageletUid, { ...known, heals: [...heals] })
}

/** Before a rollback begins, so that one that is cut off is finished and not begun anew. */
export const saveQuarantine = async (
  file: StateFile,
  stageletUid: string,
  quarantine: readonly Quarantined[],
): Promise<void> => {
  const known = file.get(stageletUid)
  if (known === undefined) return
  const kept = quarantine.map(({ message: _message, ...rest }) => rest)
  if (kept.length === 0 && known.quarantine === undefined) return
  await file.set(stageletUid, { ...known, quarantine: kept })
}
