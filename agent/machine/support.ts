// The part of a support bundle that describes this machine. Of the agent's folder it takes only state.json, field by field;
// of containers it takes what `docker ps` shows, without command lines and environment.
import { join } from 'node:path'
import { realClock, toFineTimestamp } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { dockerHostFault, parseAgentConfig, withoutForeignEngine } from '../config.ts'
import { readContainers } from '../docker/info.ts'
import { openStateFile } from '../state/state-file.ts'
import { examine } from './doctor.ts'

export interface SupportFlags {
  /** The state of an agent of this machine. */
  readonly dataDir: string
  readonly allowDirs: readonly string[]
  readonly filesDir: string | undefined
}

export interface MachinePart {
  readonly name: string
  readonly what: string
  readonly read: () => Promise<string>
}

const ownLabel = /^(dev\.stagely\.|com\.docker\.compose\.(project|service|container-number)$)/

const asJson = (value: unknown): string => JSON.stringify(value, null, 2)

const containersOf = async (socketPath: string): Promise<object[]> => {
  const fault = dockerHostFault()
  if (fault !== undefined) throw new StagelyError('BadRequest', fault)
  const found = await readContainers(socketPath)
  return found.map(({ Id, Names, Image, State, Status, Created, Labels }) => ({
    id: Id.slice(0, 12),
    names: Names,
    image: Image,
    state: State,
    status: Status,
    created: toFineTimestamp(Created * 1000),
    labels: Object.fromEntries(Object.entries(Labels).filter(([key]) => ownLabel.test(key))),
  }))
}

/** Without `signature`, which is made from the user's own files. */
const stateOf = async (dataDir: string): Promise<object> => {
  const file = await openStateFile(join(dataDir, 'state.json'))
  const stagelets = file.uids().map((uid) => {
    const { signature, ...rest } = file.get(uid)!
    return [uid, { ...rest, signed: signature !== '' }] as const
  })
  return { stagelets: Object.fromEntries(stagelets) }
}

/** BadRequest where a folder is not absolute. */
export const machineParts = ({ dataDir, allowDirs, filesDir }: SupportFlags): MachinePart[] => {
  const args = ['--data-dir', dataDir, ...allowDirs.flatMap((dir) => ['--allow-dir', dir])]
  if (filesDir !== undefined) args.push('--files-dir', filesDir)
  const config = parseAgentConfig(args, withoutForeignEngine())
  if (config === 'help') return []
  return [
    {
      name: 'machine/doctor.json',
      what: 'the findings of "stagely agent doctor": engine, Compose and their versions, folders, clock, controller',
      read: async () => asJson({ checks: await examine(config, realClock) }),
    },
    {
      name: 'machine/agent-state.json',
      what: 'what the agent remembers of its stacks: services, quarantine, what was stopped by hand',
      read: async () => asJson(await stateOf(dataDir)),
    },
    {
      name: 'machine/containers.json',
      what: 'containers that Stagely has made: name, image, state and Stagely’s labels',
      read: async () => asJson(await containersOf(config.dockerSocket)),
    },
  ]
}
