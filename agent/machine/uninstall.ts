// `stagely agent uninstall`: removes the service, and says what becomes of the running stacks.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { askToConfirm, nobodyToAsk } from '../../src/kernel/confirm.ts'
import {
  removeService,
  systemUnitDir,
  thisMachine,
  type Machine,
} from '../../src/systemd/service.ts'
import { createEngine } from '../docker/engine.ts'
import { lockAgentDir } from '../identity/data-dir.ts'
import { loadAgentIdentity, type AgentIdentity } from '../identity/identity.ts'
import { openStateFile } from '../state/state-file.ts'
import { parseMachineFlags, textFlag, type MachineFlags } from './flags.ts'
import { printNote, runProgram, printLine } from './program.ts'
import { agentService } from './unit.ts'

const usage = `Usage: stagely agent uninstall [--purge] [--yes] [--data-dir DIR] [--files-dir DIR]

Stops the agent's service and removes its unit, after a question. Containers run on, and nobody
looks after them.

  --purge         also remove the data folder: the agent's keys cannot be had back
  --yes, -y       do not ask
  --data-dir DIR  keys and state (/var/lib/stagely-agent)
  --files-dir DIR tmpfs folder for file secrets (/run/stagely); never removed: containers mount it
  --unit-dir DIR  where the unit is (${systemUnitDir})

Examples:
  stagely agent uninstall
  stagely agent uninstall --purge && stagely agent revoke web-1
`

const options = {
  purge: { type: 'boolean' },
  yes: { type: 'boolean', short: 'y' },
  'unit-dir': { type: 'string', path: true },
} as const

/** `argv` is what follows `stagely agent uninstall`; resolves to the exit code. */
export const uninstallAgent = (argv: readonly string[], machine?: Machine): Promise<number> =>
  runProgram('uninstall', usage, async () => {
    const flags = parseMachineFlags(argv, options)
    if (flags === 'help') return 'help'
    return uninstall(flags, machine ?? thisMachine(flags.config.environment['PATH'] ?? ''))
  })

const uninstall = async ({ config, own }: MachineFlags, machine: Machine): Promise<number> => {
  const unitDir = textFlag(own, 'unit-dir') ?? systemUnitDir
  const unitPath = join(unitDir, `${agentService}.service`)
  const service = `${agentService}.service`
  const manage = unitDir === systemUnitDir && (await machine.hasSystemd())
  const identity = await loadAgentIdentity(config.dataDir).catch(() => undefined)
  if (own['yes'] !== true && !(await mayGo(config.dataDir, own['purge'] === true))) return 2
  const wasThere = await removeService(machine, { service, unitPath, manage })
  printLine(wasThere ? `${service} removed` : `${unitPath} is not there`)
  await tellOfContainers(config, identity)
  if (own['purge'] === true) await purge(config.dataDir)
  else
    printNote(
      `${config.dataDir} is kept: with it the agent is the same one again. --purge removes it`,
    )
  if (identity !== undefined)
    printNote(
      `the controller still knows the agent: stagely agent revoke ${identity.name} -n ${identity.namespace}`,
    )
  return 0
}

const mayGo = async (dataDir: string, purges: boolean): Promise<boolean> => {
  const question = 'Take the agent away from this machine?'
  const details = [
    'Its containers run on; no new secret reaches them, and nothing heals them.',
    purges
      ? `${dataDir} goes with its keys: nothing brings them back, and the machine joins anew.`
      : `${dataDir} is kept: "stagely agent install" makes it the same agent again.`,
  ]
  const answer = await askToConfirm({ question, details }, printNote)
  if (answer === 'yes') return true
  printNote(answer === 'nobody' ? nobodyToAsk({ question }) : 'Nothing was changed.')
  return false
}

/** Refuses to delete the folder of an agent that still runs, as one that was started by hand. */
const purge = async (dataDir: string): Promise<void> => {
  const unlock = await lockAgentDir(dataDir).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
  if (unlock === undefined) return
  await rm(dataDir, { recursive: true, force: true })
  await unlock()
  printLine(`${dataDir} removed`)
}

const tellOfContainers = async (
  { dataDir, dockerSocket, filesDir }: MachineFlags['config'],
  identity: AgentIdentity | undefined,
): Promise<void> => {
  const state = await openStateFile(join(dataDir, 'state.json')).catch(() => undefined)
  const projects = (state?.uids() ?? []).map((uid) => state!.get(uid)!.project).sort()
  if (projects.length === 0) {
    printNote('no stack was deployed by this agent')
    return
  }
  const engine = createEngine(dockerSocket)
  const mounted = await engine.mountSources().catch(() => [])
  for (const project of projects) {
    const containers = await engine.listContainers(project).catch(() => undefined)
    const count =
      containers === undefined
        ? 'the engine does not answer'
        : `${containers.filter((c) => c.State === 'running').length} of ${containers.length} containers run`
    printLine(`${project}: ${count}`)
  }
  printNote(
    'These containers run on with the secrets that they have. No new secret reaches them, and nothing heals them.',
  )
  const root = join(filesDir, identity?.agentUid ?? '')
  if (mounted.some((source) => source.startsWith(`${root}/`)))
    printNote(
      `Some mount file secrets from ${root}, which a reboot empties: then they do not start. Give them files of your own before, or install the agent again.`,
    )
}
