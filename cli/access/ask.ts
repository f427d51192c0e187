// Asks for access to guarded values, and waits for an answer.
import { openClient } from '../connect/client.ts'
import type { AccessRequest } from '../../src/generated/rest-types.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { post, projectPath, type RestClient } from '../connect/rest.ts'
import { CliError, Exit } from '../errors.ts'
import { waitOf, type CommonFlags, type WaitFlags } from '../options.ts'
import { note } from '../print.ts'
import { canAsk, promptLine } from '../prompt.ts'
import { chosenProject } from '../objects/secret-identity.ts'
import { pollUntilDone } from '../wait/poll.ts'

export interface Asked extends CommonFlags {
  readonly project?: string
  readonly scope?: string
  readonly environment?: string
  readonly for?: string
  readonly reason: string
}

export const requestPath = ({ namespace }: RestClient, name: string): string =>
  `/access-requests/${encodeURIComponent(`${namespace}/${name}`)}`

export const createRequest = async (
  keys: readonly string[],
  flags: Asked,
  more: { readonly emergency?: true },
): Promise<{ rest: RestClient; asked: AccessRequest }> => {
  const { api, rest } = await openClient(flags)
  const project = await chosenProject(api, flags.project, keys[0])
  const { scope, environment, for: duration, reason } = flags
  const secrets = keys.map((key) => ({ key, scope }))
  const path = `${projectPath(rest.namespace, project)}/access-requests`
  const body = { reason, environment, duration, ...more, ...(secrets.length > 0 && { secrets }) }
  const asked = await post<AccessRequest>(rest, path, body)
  return { rest, asked }
}

const isDecided = ({ state }: AccessRequest): boolean => state !== 'Pending'

/** Exits with 1 where the request came to another end than an approval. */
export const waitForApproval = async (
  rest: RestClient,
  asked: AccessRequest,
  timeoutMs: number,
): Promise<void> => {
  const decided = await pollUntilDone(asked, {
    read: async () => (await rest.call<AccessRequest>(requestPath(rest, asked.name))).body,
    isDone: isDecided,
    progress: ({ message }) => message,
    everyMs: 2_000,
    timeoutMs,
    late: ({ name, message }) => `${name} is not decided: ${message ?? ''}`,
  })
  note(`${decided.name} is ${decided.state ?? ''}: ${decided.message ?? ''}`)
  if (decided.state !== 'Approved' && decided.state !== 'Active') throw new Exit(1)
}

interface Wanted extends CommonFlags, WaitFlags {
  readonly project?: string
  readonly scope?: string
  readonly reason?: string
}

/** Where a read was refused for a policy: asks for access, and with --wait returns when it is given. Ends the command else. */
export const askForAccess = async (error: unknown, key: string, flags: Wanted): Promise<void> => {
  if (!(error instanceof StagelyError) || error.reason !== 'AccessRequestNeeded') throw error
  if (flags.reason === undefined && !canAsk()) throw error
  if (flags.reason === undefined) note(error.message)
  const reason = flags.reason ?? (await promptLine('To ask for access, say why: '))
  const { rest, asked } = await createRequest([key], { ...flags, reason }, {})
  const timeoutMs = waitOf(flags)
  if (timeoutMs !== undefined) return waitForApproval(rest, asked, timeoutMs)
  throw new CliError(
    `${asked.name} waits for an approval: ${asked.message ?? ''}; when it is approved, read the value again (or use --wait)`,
    1,
  )
}
