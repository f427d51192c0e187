// Login of a job of a CI: finds the token that its service gives it, and exchanges it for one of ours.
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { httpRequest, readBodyText } from '../../src/kernel/request.ts'
import { isRecord, tryParseJson } from '../../src/kernel/record.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import { readIfThere, writeWhole } from '../../src/kernel/whole-file.ts'
import { readCiEnv, type CiEnv, type ConnectionEnv } from '../config.ts'
import { connectionTo, type LoginEndpoint } from '../connect/connect.ts'
import { exchange } from '../connect/transport.ts'
import { CliError, usageError, cannot } from '../errors.ts'
import { out } from '../print.ts'

/** Where a pod of Kubernetes has a token for us. Its token for the cluster's own API is given to nobody. */
const projectedToken = '/var/run/secrets/stagely/token'
const mostBytes = 65_536
const patienceMs = 30_000

/** The runner hides what it is told of from then on. */
const mask = ({ isActions, variablesFile }: CiEnv, token: string): void => {
  if (isActions && variablesFile !== undefined) out(`::add-mask::${token}`)
}

const remedyOf = ({ isActions, isGitlab, isKubernetes }: CiEnv): string => {
  if (isActions)
    return 'give the job the right to one: "permissions: { id-token: write }" on GitHub, "enable-openid-connect: true" on Forgejo'
  if (isGitlab)
    return 'give the job one: "id_tokens: { STAGELY_ID_TOKEN: { aud: URL-OF-THE-CONTROLLER } }"'
  if (isKubernetes)
    return `give the pod one: a projected volume with a serviceAccountToken at ${projectedToken}`
  return 'this is no job of GitHub, GitLab, Forgejo or Kubernetes'
}

const noToken = (env: CiEnv): CliError =>
  new CliError(
    [
      'this job has no token of its own. Looked for, in this order:',
      '  STAGELY_ID_TOKEN                                              GitLab, and any other CI',
      '  STAGELY_ID_TOKEN_FILE                                         a file with it',
      '  ACTIONS_ID_TOKEN_REQUEST_URL, ACTIONS_ID_TOKEN_REQUEST_TOKEN  GitHub and Forgejo',
      `  ${projectedToken.padEnd(60)}  Kubernetes`,
      remedyOf(env),
    ].join('\n'),
  )

const readTokenFile = async (file: string): Promise<string | undefined> => {
  const text = file === projectedToken ? readIfThere(file) : readFile(file, 'utf8')
  return (await text.catch(cannot(`read ${file}`)))?.trim()
}

/** Asks the runner of GitHub or Forgejo. Its answer is in no message. */
const askRunner = async (
  { url, token }: { readonly url: string; readonly token: string },
  audience: string,
): Promise<string> => {
  if (!URL.canParse(url)) throw new CliError('ACTIONS_ID_TOKEN_REQUEST_URL is no URL')
  const target = new URL(url)
  target.searchParams.set('audience', audience)
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' }
  const options = { headers, timeout: patienceMs }
  const response = await httpRequest(target, options).catch((error: unknown) => {
    throw new CliError(`${target.host} gives no token: ${messageOf(error)}`)
  })
  const answer = tryParseJson(await readBodyText(response, mostBytes))
  const value = isRecord(answer) ? answer.value : undefined
  if (response.statusCode === 200 && typeof value === 'string') return value
  throw new CliError(`${target.host} gives no token: it answers with ${response.statusCode ?? 0}`)
}

const findToken = async (env: CiEnv, audience: string): Promise<string> => {
  const { idToken, idTokenFile, requestUrl: url, requestToken } = env
  if (idToken !== undefined) return idToken
  if (idTokenFile !== undefined) return (await readTokenFile(idTokenFile)) ?? ''
  if (url !== undefined && requestToken !== undefined)
    return askRunner({ url, token: requestToken }, audience)
  const found = await readTokenFile(projectedToken)
  if (found === undefined) throw noToken(env)
  return found
}

/** A token of ours for that of the job. CliError with the controller's reason where it gives none. */
export const tokenOfJob = async (
  endpoint: LoginEndpoint,
  { team, audience }: { readonly team: string; readonly audience: string },
): Promise<string> => {
  const env = readCiEnv()
  const subject = await findToken(env, audience)
  mask(env, subject)
  const { server, options } = connectionTo(endpoint)
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    audience: team,
    subject_token: subject,
  }
  const call = { method: 'POST', form } as const
  const { status, text } = await exchange(server, '/auth/exchange', call, await options())
  const parsed = tryParseJson(text)
  const answer = isRecord(parsed) ? parsed : {}
  if (status === 200 && typeof answer['access_token'] === 'string') {
    mask(env, answer['access_token'])
    return answer['access_token']
  }
  const why = answer['error_description']
  throw new CliError(
    typeof why === 'string'
      ? `${server} takes no token of this job: ${why} (${String(answer['error'])}; audience ${audience}, team ${team})`
      : `${server} takes no tokens of jobs: it answers with ${status}`,
  )
}

export interface TokenPlace {
  readonly file: string
  readonly save: (token: string, endpoint: LoginEndpoint) => Promise<void>
}

const saveIn = (file: string, token: string): Promise<void> =>
  writeWhole(file, `${token}\n`, { mode: 0o600, sync: false }).catch(cannot(`write ${file}`))

/**
 * Where commands of the job find the token, and nobody after the job: the file of STAGELY_TOKEN_FILE, or on GitHub and
 * Forgejo a file in the folder that the runner empties. The steps that follow get the variables.
 */
export const placeForToken = ({ token, tokenFile }: ConnectionEnv): TokenPlace => {
  if (token !== undefined)
    throw usageError('STAGELY_TOKEN is set, and goes first: unset it, or leave --ci out')
  if (tokenFile !== undefined) return { file: tokenFile, save: (given) => saveIn(tokenFile, given) }
  const { variablesFile, jobFolder } = readCiEnv()
  if (variablesFile === undefined || jobFolder === undefined)
    throw usageError(
      'say where the token is kept while the job runs: STAGELY_TOKEN_FILE=FILE, for this command and those that follow; or --context NAME, to store a login',
    )
  const file = join(jobFolder, 'stagely-token')
  return {
    file,
    save: async (given, { server, caFile, namespace }) => {
      await saveIn(file, given)
      const variables = {
        STAGELY_SERVER: server,
        STAGELY_TOKEN_FILE: file,
        STAGELY_NAMESPACE: namespace,
        STAGELY_CA_FILE: caFile,
      }
      const lines = Object.entries(variables).flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${value}\n`],
      )
      await appendFile(variablesFile, lines.join(''))
    },
  }
}
