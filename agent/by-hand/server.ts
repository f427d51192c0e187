// The server for `stagely compose`: a unix socket in the agent's data folder, which only the agent's user and root can
// open. They can do anything with the engine anyway.
import { rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { background, logFault } from '../../src/kernel/async/background.ts'
import { parseHandCommand } from '../../src/compose/by-hand.ts'
import { httpStatusOf, messageOf, StagelyError } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { readAllBytes } from '../../src/kernel/request.ts'
import {
  manualPath,
  manualRequest,
  type ManualLine,
  type ManualRequest,
} from '../../src/protocol/by-hand.ts'
import { renderLine } from '../../src/protocol/ndjson.ts'
import { findManualTarget, type ManualTarget } from './find.ts'

interface ManualServer {
  /** Takes no new command, ends commands that only read, and resolves when the others have finished. */
  stop(): Promise<void>
  /** Ends the commands that are left, and the server. */
  close(): void
}

interface ManualServerDeps {
  readonly path: string
  readonly targets: () => readonly ManualTarget[]
  readonly log: Logger
}

const maxRequestBytes = 1024 * 1024

const tooLong = (): Error => new StagelyError('BadRequest', 'the command is too long')

const readRequest = async (request: IncomingMessage): Promise<ManualRequest> => {
  if (request.method !== 'POST' || request.url !== manualPath)
    throw new StagelyError('NotFound', `this agent knows only POST ${manualPath}`)
  const body = await readAllBytes(request, maxRequestBytes, tooLong)
  try {
    return manualRequest.parse(JSON.parse(body.toString('utf8')))
  } catch (error) {
    const message = 'this is no request of "stagely compose"; are both of one version?'
    throw new StagelyError('BadRequest', message, {}, error)
  }
}

/** Makes a user name, which nobody has checked, safe to show. */
const tame = (user: string): string => user.replace(/[^\w.@+-]/g, '_').slice(0, 64) || 'somebody'

interface Session {
  readonly alters: boolean
  readonly end: () => void
  readonly done: Promise<void>
}

/** Writes the lines of one answer. The head goes out with the first line, as a refusal has another head. */
const lineWriter = (response: ServerResponse) => {
  response.on('error', () => undefined)
  return (line: ManualLine, taken?: () => void): void => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    // Also where the person is gone: the caller waits for `taken`.
    response.write(renderLine(line), () => taken?.())
  }
}

const refuse = (response: ServerResponse, error: unknown): void => {
  const reason = error instanceof StagelyError ? error.reason : 'InternalError'
  const message = messageOf(error)
  if (response.headersSent) {
    const write = lineWriter(response)
    write({ type: 'note', text: message })
    write({ type: 'exit', code: 1 })
    response.end()
    return
  }
  response.writeHead(httpStatusOf[reason], { 'content-type': 'application/json' })
  response.end(JSON.stringify({ reason, message }))
}

const answer = async (
  deps: ManualServerDeps,
  request: IncomingMessage,
  response: ServerResponse,
  onSession: (session: Session) => void,
): Promise<void> => {
  const gone = new AbortController()
  const end = (): void => gone.abort()
  response.once('close', end)
  try {
    const asked = await readRequest(request)
    const command = parseHandCommand(asked.args)
    const target = await findManualTarget(deps.targets(), asked)
    const write = lineWriter(response)
    const onNote = (text: string): void => write({ type: 'note', text })
    const running = target.run({
      command,
      user: tame(asked.user),
      onOutput: (type, bytes, taken) => write({ type, data: bytes.toString('base64') }, taken),
      onNote,
      signal: gone.signal,
    })
    const done = running.then(
      () => undefined,
      () => undefined,
    )
    onSession({ alters: command.alters, end, done })
    const code = await running
    command.notes.forEach(onNote)
    write({ type: 'exit', code })
    response.end()
  } catch (error) {
    refuse(response, error)
  }
}

/** Binds the socket so that its mode is right before its name exists. */
const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    const before = process.umask(0o177)
    try {
      server.listen(path, resolve)
    } finally {
      process.umask(before)
    }
  })

/** The folder must be this agent's alone (see lockFolder). An agent runs also where the socket cannot be opened. */
export const openManualServer = async (deps: ManualServerDeps): Promise<ManualServer> => {
  const { path, log } = deps
  const sessions = new Set<Session>()
  const server = createServer((request, response) => {
    const onSession = (session: Session): void => {
      sessions.add(session)
      background(
        () => session.done.then(() => sessions.delete(session)),
        logFault(log, 'a command by hand ended with a fault'),
      )
    }
    background(
      () => answer(deps, request, response, onSession),
      logFault(log, 'a command by hand got no answer'),
    )
  })
  try {
    // An agent that was killed has left its socket.
    await rm(path, { force: true })
    await listen(server, path)
  } catch (error) {
    log.warn({ path, reason: messageOf(error) }, '"stagely compose" is not to be had here')
  }
  server.unref()
  return {
    stop: async () => {
      server.close()
      for (const { alters, end } of sessions) if (!alters) end()
      await Promise.all([...sessions].map(({ done }) => done))
    },
    close: () => server.closeAllConnections(),
  }
}
