// Runs a program in a container, with its input on stdin. The Engine API starts it, so that no process of this
// machine has the command.
import http from 'node:http'
import type { Duplex } from 'node:stream'
import { StagelyError, messageOf } from '../../src/kernel/errors.ts'
import { readAllBytes, httpRequest } from '../../src/kernel/request.ts'
import { demultiplex } from './demultiplex.ts'

export interface ExecInContainer {
  readonly command: readonly string[]
  /** What a value must never be in: everybody on the machine can read it. */
  readonly env: readonly string[]
  readonly stdin: string
  readonly signal: AbortSignal
}

export interface ExecOutcome {
  /** 126 or 127 where the container has no such program. */
  readonly exitCode: number
  readonly stdout: string
  /** Not masked. */
  readonly stderr: string
}

interface ExecDeps {
  readonly socketPath: string
  readonly get: <T>(path: string) => Promise<T | undefined>
}

const headers = { Host: 'docker', 'Content-Type': 'application/json' }
const maxOutputBytes = 1_048_576

export const execIn = async (
  { socketPath, get }: ExecDeps,
  container: string,
  { command, env, stdin, signal }: ExecInContainer,
): Promise<ExecOutcome> => {
  try {
    const body = {
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: false,
      Cmd: command,
      Env: env,
    }
    const path = `/containers/${container}/exec`
    const made = await httpRequest(
      { socketPath, path },
      { method: 'POST', headers, signal },
      (out) => out.end(JSON.stringify(body)),
    )
    const answer = await readAllBytes(made, maxOutputBytes)
    if (made.statusCode !== 201) throw new Error(`the engine answers ${made.statusCode ?? 0}`)
    const { Id: id } = JSON.parse(answer.toString('utf8')) as { Id: string }
    const output = await attach({ socketPath, path: `/exec/${id}/start` }, stdin, signal)
    // A program that the container does not have has no exit code of its own in older engines.
    const { ExitCode: exitCode } =
      (await get<{ ExitCode: number | null }>(`/exec/${id}/json`)) ?? {}
    return {
      exitCode: exitCode ?? 127,
      stdout: demultiplex(output, 1),
      stderr: demultiplex(output, 2),
    }
  } catch (error) {
    const message = `cannot run ${command[0] ?? ''} in the container: ${messageOf(error)}`
    throw new StagelyError('ServiceUnavailable', message, {}, error)
  }
}

/** Starts it, gives the input, and resolves to all of its output. */
const attach = (
  address: { socketPath: string; path: string },
  stdin: string,
  signal: AbortSignal,
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const upgrade = { Connection: 'Upgrade', Upgrade: 'tcp' }
    const outgoing = http.request({
      ...address,
      method: 'POST',
      headers: { ...headers, ...upgrade },
      signal,
    })
    outgoing.on('error', reject)
    outgoing.on('upgrade', (_, socket: Duplex, head: Buffer) => {
      const cut = (): void => {
        socket.destroy(new Error('it took too long'))
      }
      signal.addEventListener('abort', cut, { once: true })
      socket.on('error', reject)
      socket.unshift(head)
      socket.end(stdin)
      readAllBytes(socket, maxOutputBytes)
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', cut))
    })
    // Where it could not be started, the engine answers without an upgrade.
    outgoing.on('response', (response) => {
      readAllBytes(response, maxOutputBytes)
        .then(() => resolve(Buffer.alloc(0)))
        .catch(reject)
    })
    outgoing.end(JSON.stringify({ Detach: false, Tty: false }))
  })
