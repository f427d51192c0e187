// support-bundle: everything that a maintainer needs to know about an installation, in one file that is
// safe to send.
import { stat } from 'node:fs/promises'
import { arch, release, type } from 'node:os'
import { realClock, toFineTimestamp } from '../../src/kernel/clock.ts'
import { isAbort } from '../../src/kernel/errors.ts'
import { version } from '../../src/kernel/version.ts'
import { readConnectionEnv, readEnvironment } from '../config.ts'
import { readLogins, type Logins } from '../logins.ts'
import { findConnection, type ControllerConnection } from '../connect/connect.ts'
import { renderError, usageError } from '../errors.ts'
import { collect, newCommand, type Command, type CommonFlags } from '../options.ts'
import { note, out } from '../print.ts'
import { readParts, writeArchive, type BundleFile, type BundlePart } from '../support/part.ts'
import { controllerParts } from '../support/controller-parts.ts'
import { createRedactor, secretValues } from '../support/redact.ts'

interface MachineFlags {
  readonly dataDir: string
  readonly allowDirs: readonly string[]
  readonly filesDir: string | undefined
}

/** The agent's part: its folder and its engine. */
export interface AgentMachine {
  readonly defaultDataDir: string
  readonly parts: (flags: MachineFlags) => Promise<BundlePart[]>
}

interface Flags extends Omit<CommonFlags, 'output'> {
  readonly output?: string
  readonly agentDataDir?: string
  readonly allowDir?: readonly string[]
  readonly filesDir?: string
  readonly logs?: readonly string[]
}

export const noMachine: AgentMachine = {
  defaultDataDir: '/var/lib/stagely-agent',
  parts: () => Promise.resolve([]),
}

export const command = (machine: AgentMachine = noMachine): Command => {
  const made = newCommand(
    'support-bundle',
    'Collect what a maintainer needs to find a problem, as one .tar.gz without secrets: versions, objects and their status, events, health and metrics of the controller; on a machine with an agent also the doctor’s findings. What cannot be read is named in errors.txt. Sends nothing.',
    [
      'stagely admin support-bundle',
      'stagely admin support-bundle -n team-a --output problem.tar.gz',
      'stagely admin support-bundle --logs shop',
      'sudo -E stagely admin support-bundle --allow-dir /srv      # on the machine of an agent',
    ],
  )
  const namespace = made.options.find(({ long }) => long === '--namespace')
  if (namespace !== undefined)
    namespace.description =
      'only this one; when absent all that you may see, and "default" for --logs'
  return made
    .option('--output <file>', 'a file that does not exist yet (stagely-support-DATE.tar.gz)')
    .option('--logs <stagelet>', 'its last log lines, masked; may be given again', collect)
    .option(
      '--agent-data-dir <dir>',
      `folder of the agent of this machine (${machine.defaultDataDir} where it exists)`,
    )
    .option('--allow-dir <dir>', 'as the agent has it; may be given again', collect)
    .option('--files-dir <dir>', 'as the agent has it')
    .action((flags: Flags) => bundle(flags, machine))
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (s) => s.isDirectory(),
    () => false,
  )

/** Parts about this machine; none when there is no agent on it. */
const machinePartsFor = async (flags: Flags, machine: AgentMachine): Promise<BundlePart[]> => {
  const { agentDataDir, allowDir = [], filesDir } = flags
  const dataDir = agentDataDir ?? machine.defaultDataDir
  if (await isFolder(dataDir)) return machine.parts({ dataDir, allowDirs: allowDir, filesDir })
  if (agentDataDir !== undefined) throw usageError(`--agent-data-dir ${dataDir} is not a folder`)
  return []
}

const clientPart: BundlePart = {
  name: 'client.json',
  what: 'versions of this command, Node.js and the system',
  read: () => {
    const node = process.version
    const system = `${type()} ${release()} ${arch()}`
    return Promise.resolve(JSON.stringify({ stagely: version, node, system }, null, 2))
  },
}

/** A controller without a known address is reported like one that does not answer. */
const controllerPartsFor = (
  connection: ControllerConnection | Error,
  flags: Flags,
): BundlePart[] =>
  connection instanceof Error
    ? [{ name: 'controller', what: '', read: () => Promise.reject(connection) }]
    : controllerParts(connection, { namespace: flags.namespace, logs: flags.logs ?? [] })

/** Secrets of this process, which might get into the bundle: its environment and its credentials. */
const ownSecrets = async (connection: ControllerConnection | Error): Promise<string[]> => {
  const { contexts } = await readLogins().catch((): Logins => ({ contexts: {} }))
  const options = connection instanceof Error ? {} : await connection.options().catch(() => ({}))
  const headers = (options as { headers?: Record<string, unknown> }).headers ?? {}
  const used = Object.values(headers).filter((value) => typeof value === 'string')
  return [
    ...secretValues(readEnvironment()),
    ...Object.values(contexts).map(({ token }) => token),
    ...[readConnectionEnv().token].filter((token) => token !== undefined),
    ...used.map((value) => value.replace(/^(?:Bearer|Basic) /, '')),
  ]
}

const explain = (error: unknown): string =>
  isAbort(error) ? 'no answer within 20 s' : renderError(error).replace(/^error: /, '')

const leftOut = `Left out, always: values of secrets and what they are sealed with; tokens, keys and certificates;
annotations that are not Stagely's own (their names stay); managedFields; rows of the audit log;
environment, command line and mounts of containers; compose files and .env files; everything in the
agent's folder but state.json; logs of the services stagely-agent and stagely-controller
(journalctl -u stagely-agent); logs of containers unless --logs was given.

Everything went through a filter for the credentials of who made this, and for what looks like a
password, token or private key. It does hold names: of machines, folders, projects, keys of secrets,
images. Look into it before you send it.
`

const readme = (
  parts: readonly BundlePart[],
  files: readonly BundleFile[],
  when: string,
): string => {
  const held = parts.filter(({ name }) => files.some((file) => file.name === name))
  const lines = held.map(({ name, what }) => `  ${name.padEnd(34)} ${what}`)
  return `Support bundle of Stagely, made ${when}.

${lines.join('\n')}
  ${'errors.txt'.padEnd(34)} what could not be read, and why

${leftOut}`
}

/** Checked before anything is collected. */
const refuseTaken = async (file: string): Promise<void> => {
  const isTaken = await stat(file).then(
    () => true,
    () => false,
  )
  if (isTaken) throw usageError(`${file} exists already: name another file`)
}

const bundle = async (flags: Flags, machine: AgentMachine): Promise<void> => {
  const when = toFineTimestamp(realClock.now())
  const folder = `stagely-support-${when.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}`
  const file = flags.output ?? `${folder}.tar.gz`
  await refuseTaken(file)
  const machineParts = await machinePartsFor(flags, machine)
  const connection = await findConnection(flags).catch((error: unknown) => error as Error)
  const parts = [clientPart, ...controllerPartsFor(connection, flags), ...machineParts]
  const redact = createRedactor(await ownSecrets(connection))
  note('collecting …')
  const { files, errors } = await readParts(parts, { redact, explain })
  await writeArchive(file, folder, [
    { name: 'README.txt', text: redact(readme(parts, files, when)) },
    ...files,
    { name: 'errors.txt', text: errors.map((line) => `${line}\n`).join('') },
  ])
  for (const error of errors) note(`left out: ${error}`)
  if (machineParts.length === 0)
    note(`no agent here (${machine.defaultDataDir}): run it on the machine of an agent for the doctor’s findings`) // prettier-ignore
  note('Look into it before you send it: README.txt in it says what it holds.')
  out(file)
}
