// compose: runs Docker Compose through the agent of this machine, so that containers keep their
// secrets.
import { Command } from '../options.ts'
import type { IncomingMessage } from 'node:http'
import { userInfo } from 'node:os'
import { StringDecoder } from 'node:string_decoder'
import { handVerbs } from '../../src/compose/by-hand.ts'
import { defined } from '../../src/kernel/defined.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import { readBodyText, httpRequest } from '../../src/kernel/request.ts'
import {
  manualLine,
  manualPath,
  manualSocket,
  type ManualLine,
  type ManualRequest,
} from '../../src/protocol/by-hand.ts'
import { refusal } from '../../src/protocol/messages.ts'
import { createLineReader } from '../../src/protocol/ndjson.ts'
import { readSudoUser } from '../config.ts'
import { CliError, Exit, usageError } from '../errors.ts'
import { note, printable } from '../print.ts'

interface Flags {
  readonly stagelet?: string
  readonly agentDataDir: string
}

const examples = [
  'stagely compose -- up -d --force-recreate web       # in the folder of the stack',
  'stagely compose -- logs -f web',
  'stagely compose -- exec web sh -c "ls /run"',
  'stagely compose --stagelet team-a/shop -- restart web',
]

export const command = (): Command =>
  new Command('compose')
    .description(
      'Run Docker Compose through the agent of this machine: containers get their secrets, and the output has them hidden. Needs the agent’s user or root.',
    )
    .usage('[options] -- VERB [ARGUMENT...]')
    .showHelpAfterError('(--help shows flags and examples)')
    .argument('<words...>', 'the arguments of "docker compose", after --')
    .option('--stagelet <name>', 'NAMESPACE/NAME; the one whose folder this is, when absent')
    .option('--agent-data-dir <dir>', 'data folder of the agent', '/var/lib/stagely-agent')
    .addHelpText(
      'after',
      `
Verbs: ${handVerbs.join(', ')}.
Files, project and profiles are the stagelet's. There is no terminal and no input: "up" is detached,
"rm" does not ask, "run" starts no other service, "config" fills nothing in. When this command is
interrupted, Compose is too. Its exit code is ours.

Examples:
${examples.map((line) => `  ${line}`).join('\n')}`,
    )
    .action(compose)

const compose = async (args: string[], flags: Flags): Promise<void> => {
  if (!process.argv.includes('--')) throw usageError('put -- before what Compose is to do')
  const { stagelet, agentDataDir } = flags
  const asked: ManualRequest = {
    ...defined({ stagelet }),
    directory: process.cwd(),
    args,
    user: whoAmI(),
  }
  const response = await ask(agentDataDir, asked)
  const code = response.statusCode === 200 ? await show(response) : await refused(response)
  throw new Exit(code)
}

const whoAmI = (): string => {
  try {
    return readSudoUser() ?? userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`
  }
}

const ask = async (dataDir: string, asked: ManualRequest): Promise<IncomingMessage> => {
  const socketPath = manualSocket(dataDir)
  const options = { method: 'POST', agent: false }
  try {
    return await httpRequest({ socketPath, path: manualPath }, options, (outgoing) => {
      outgoing.end(JSON.stringify(asked))
    })
  } catch (error) {
    throw notReached(socketPath, error as NodeJS.ErrnoException)
  }
}

const notReached = (socketPath: string, error: NodeJS.ErrnoException): CliError => {
  switch (error.code ?? '') {
    case 'ENOENT':
      return new CliError(
        `no agent has ${socketPath}: start the agent of this machine ("stagely agent run"), or name its data folder with --agent-data-dir`,
      )
    case 'ECONNREFUSED':
      return new CliError(`the agent of ${socketPath} does not run: start it`)
    case 'EACCES':
    case 'EPERM':
      return new CliError(
        `${socketPath} is for root and the agent’s user: use sudo, or ask who administers this machine`,
      )
    default:
      return new CliError(`cannot reach the agent at ${socketPath}: ${messageOf(error)}`)
  }
}

const refused = async (response: IncomingMessage): Promise<never> => {
  const { message, reason } = refusal.parse(JSON.parse(await readBodyText(response)))
  throw new CliError(message, reason === 'BadRequest' ? 2 : 1)
}

const maxLineBytes = 1024 * 1024

/**
 * At a terminal, control characters are removed, so that containers cannot control it; a file gets the
 * bytes unchanged.
 */
const writerTo = (to: NodeJS.WriteStream): ((bytes: Buffer) => boolean) => {
  const decoder = new StringDecoder('utf8')
  return (bytes) => to.write(to.isTTY ? printable(decoder.write(bytes)) : bytes)
}

const show = async (response: IncomingMessage): Promise<number> => {
  const write = { stdout: writerTo(process.stdout), stderr: writerTo(process.stderr) }
  let code: number | undefined
  let full: NodeJS.WriteStream | undefined
  const take = (line: ManualLine): void => {
    if (line.type === 'exit') code = line.code
    else if (line.type === 'note') note(line.text)
    else if (!write[line.type](Buffer.from(line.data, 'base64'))) full = process[line.type]
  }
  const read = createLineReader(maxLineBytes, (text) => take(manualLine.parse(JSON.parse(text))))
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      read(chunk)
      // A slow reader slows the container down; no data piles up in memory.
      const slow = full
      if (slow?.writableNeedDrain === true) await new Promise((go) => slow.once('drain', go))
    }
  } catch (error) {
    if (code === undefined) throw new CliError(`the agent broke off: ${messageOf(error)}`)
  }
  if (code === undefined) throw new CliError('the agent broke off')
  return code
}
