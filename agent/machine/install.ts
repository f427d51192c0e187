// `stagely agent install`: joins, writes a systemd unit without secrets, and starts it. With other flags it changes the
// unit. The unit holds the flags of the agent, its data folder the identity.
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { text as readText } from 'node:stream/consumers'
import { StagelyError } from '../../src/kernel/errors.ts'
import { parseJoinToken } from '../../src/protocol/join-token.ts'
import { readOwnCommand } from '../../src/systemd/command-line.ts'
import {
  outcomeOf,
  putFile,
  startService,
  systemUnitDir,
  thisMachine,
  type Machine,
} from '../../src/systemd/service.ts'
import { agentVersion, usualSocket, type AgentConfig } from '../config.ts'
import { prepareAgentDir, lockAgentDir } from '../identity/data-dir.ts'
import { loadAgentIdentity } from '../identity/identity.ts'
import { joinController } from '../link/join.ts'
import { parseMachineFlags, textFlag, type MachineFlags } from './flags.ts'
import { printNote, runProgram, printLine } from './program.ts'
import { agentService, renderAgentUnit } from './unit.ts'

const usage = `Usage: stagely agent install --allow-dir DIR... [--join-file FILE|-] [flags of "agent run"]

Joins the controller, and makes the agent a hardened systemd service that starts with the machine.
Again with other flags it changes the service; what is right already is left. Needs root.

  --join-file FILE  join token, from: stagely agent token create; - reads it from standard input
                    (or STAGELY_JOIN_TOKEN). Used once, and stored nowhere. Not needed once joined
  --data-dir DIR    keys and state (/var/lib/stagely-agent)
  --allow-dir DIR   stacks below DIR may be run, and no others; repeat it for more. Asked for on a
                    terminal. Whoever may write stagelets chooses files below it for Compose to run
  --files-dir DIR   tmpfs folder for file secrets (/run/stagely)
  --files-on-disk, --no-file-cache, --no-tasks   as for "agent run"
  --dry-run         only show the unit, and what would be done
  --ephemeral       the machine is meant to go: when it shuts down, "stagely agent leave" ends the agent.
                    For a token of "stagely agent token create --ephemeral"
  --no-start        write the unit; start nothing
  --unit-dir DIR    where the unit goes (${systemUnitDir})

DOCKER_HOST and STAGELY_LOG_LEVEL are taken into the unit; more variables, such as proxies, go to
/etc/stagely/agent.env, which is root's.

Examples:
  stagely agent install --join-file token --allow-dir /srv
  ssh root@web-1 stagely agent install --join-file - --allow-dir /srv < token
  stagely agent install --dry-run --allow-dir /srv
`

const options = {
  'dry-run': { type: 'boolean' },
  'no-start': { type: 'boolean' },
  ephemeral: { type: 'boolean' },
  'unit-dir': { type: 'string', path: true },
} as const

/** `argv` is what follows `stagely agent install`; resolves to the exit code. */
export const installAgent = (argv: readonly string[], machine?: Machine): Promise<number> =>
  runProgram('install', usage, async () => {
    const parsed = parseMachineFlags(argv, options)
    if (parsed === 'help') return 'help'
    const asked = parsed.config.allowDirs.length > 0 ? [] : await askForFolders()
    const flags = asked.length === 0 ? parsed : parseMachineFlags([...argv, ...asked], options)
    if (flags === 'help') return 'help'
    return install(flags, machine ?? thisMachine(flags.config.environment['PATH'] ?? ''))
  })

/** Asks for the folders of --allow-dir; returns flags. BadRequest where nobody can be asked, or none is named. */
const askForFolders = async (): Promise<string[]> => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const canAsk = process.stdin.isTTY && process.stderr.isTTY
    const answer = canAsk
      ? await terminal.question('Folders that stacks may lie in, such as /srv (spaces between): ')
      : ''
    const folders = answer.split(/\s+/).filter((folder) => folder !== '')
    if (folders.length > 0) return folders.flatMap((folder) => ['--allow-dir', folder])
  } finally {
    terminal.close()
  }
  const message =
    'name the folders that stacks may lie in: --allow-dir DIR; without it the agent runs no stack'
  throw new StagelyError('BadRequest', message)
}

const install = async (flags: MachineFlags, machine: Machine): Promise<number> => {
  const { config, own, runArgs } = flags
  const unitDir = textFlag(own, 'unit-dir') ?? systemUnitDir
  const unitPath = join(unitDir, `${agentService}.service`)
  const content = renderAgentUnit({
    command: await readOwnCommand(process.execPath, process.argv[1] ?? ''),
    args: runArgs,
    dataDir: config.dataDir,
    filesDir: config.filesDir,
    allowDirs: config.allowDirs,
    dockerHost: config.dockerSocket === usualSocket ? undefined : `unix://${config.dockerSocket}`,
    logLevel: config.logLevel === 'info' ? undefined : config.logLevel,
    ephemeral: own['ephemeral'] === true,
  })
  const file = { path: unitPath, content, mode: 0o644 }
  if (own['dry-run'] === true) {
    printLine(content)
    const outcome = await outcomeOf(file)
    printNote(`${unitPath} would be ${outcome}; nothing was written`)
    return 0
  }
  await joinOnce(config, textFlag(own, 'join-file') === '-')
  const outcome = await putFile(file)
  printLine(`${unitPath} ${outcome}`)
  await start(machine, { unitDir, outcome, wanted: own['no-start'] !== true })
  return 0
}

/** Joins. The token is only in this process; the identity is what is stored. */
const joinOnce = async (config: AgentConfig, fromStdin: boolean): Promise<void> => {
  const { dataDir } = config
  const stored = await loadAgentIdentity(dataDir)
  const text = fromStdin ? (await readText(process.stdin)).trim() : config.joinToken
  if (text === undefined || text === '') {
    if (stored !== undefined) {
      printLine(`joined already: agent ${stored.namespace}/${stored.name} of ${stored.url}`)
      return
    }
    const message = `${dataDir} holds no identity yet: give a join token with --join-file (make one with: stagely agent token create)`
    throw new StagelyError('BadRequest', message)
  }
  const token = parseJoinToken(text)
  if (stored?.tokenId === token.tokenId) return
  if (await prepareAgentDir(dataDir))
    printNote(`${dataDir} was open to other users; it is closed to them now`)
  const unlock = await lockAgentDir(dataDir)
  try {
    const { namespace, name, url } = await joinController(dataDir, token, agentVersion)
    printLine(`joined: agent ${namespace}/${name} of ${url}`)
  } finally {
    await unlock()
  }
}

const start = async (
  machine: Machine,
  what: {
    unitDir: string
    outcome: Awaited<ReturnType<typeof putFile>>
    wanted: boolean
  },
): Promise<void> => {
  const service = `${agentService}.service`
  const isSystem = what.unitDir === systemUnitDir
  if (what.wanted && isSystem && (await machine.hasSystemd())) {
    printLine(`${service} ${await startService(machine, service, what.outcome)}`)
    printNote('look after it: systemctl status stagely-agent, journalctl -u stagely-agent, stagely agent doctor') // prettier-ignore
    return
  }
  const why = isSystem ? 'systemd does not run here' : `${what.unitDir} is not systemd's folder`
  printNote(`not started (${what.wanted ? why : '--no-start'}). Start it with: systemctl daemon-reload && systemctl enable --now ${service}`) // prettier-ignore
}
