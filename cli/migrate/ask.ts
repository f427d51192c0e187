// One question to the API of another tool. Its answer holds values: no error repeats a byte of it.
import { readFile } from 'node:fs/promises'
import { httpRequest, readBodyText } from '../../src/kernel/request.ts'
import { tryParseJson } from '../../src/kernel/record.ts'
import { readEnvironment } from '../config.ts'
import { CliError, usageError, cannot } from '../errors.ts'
import { isLoopback } from '../connect/connect.ts'

export interface ToolAddress {
  readonly url?: string | undefined
  readonly caFile?: string | undefined
}

/** Sends a body by POST, nothing by GET; resolves with the JSON of the answer. */
type AskTool = (path: string, body?: object) => Promise<unknown>

const answerMs = 30_000
const mostBytes = 16 * 1024 * 1024

/** The value of a variable that holds a key of the tool: a key on the command line is in the list of processes. */
export const keyFrom = (variable: string): string => {
  const value = readEnvironment()[variable]
  if (value === undefined || value === '')
    throw usageError(`put the API key into the variable ${variable}`)
  // Such as "…", where the key was copied from a page that cuts it.
  if (!/^[\x21-\x7e]+$/.test(value))
    throw usageError(`the variable ${variable} holds characters that no API key has: copy it again`)
  return value
}

const readCa = (file: string): Promise<Buffer> =>
  readFile(file).catch(cannot(`read the certificate of --ca ${file}`))

export const openTool = async (
  name: string,
  { url, caFile }: ToolAddress,
  headers: Readonly<Record<string, string>>,
): Promise<AskTool> => {
  if (url === undefined) throw usageError(`say where ${name} is: --url https://…`)
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw usageError(`--url ${url} is no address such as https://host:9443`)
  if (new URL(url).username !== '' || new URL(url).password !== '')
    throw usageError('--url holds a user or a password: everybody on the machine can read it there')
  if (url.startsWith('http:') && !isLoopback(url))
    throw usageError(`${url} would carry the API key and all values unencrypted: use https`)
  const ca = caFile === undefined ? undefined : await readCa(caFile)
  const base = url.replace(/\/+$/, '')
  return async (path, body) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const json = text === undefined ? {} : { 'content-type': 'application/json' }
    const options = {
      method: text === undefined ? 'GET' : 'POST',
      headers: { accept: 'application/json', ...json, ...headers },
      timeout: answerMs,
      ...(ca && { ca }),
    }
    const response = await httpRequest(new URL(base + path), options, (outgoing) => {
      outgoing.end(text)
    }).catch((error: unknown) => {
      const { code = 'no reason given' } = error as { code?: string }
      throw new CliError(
        `${name} at ${base} did not answer (${code}): check --url and --ca`,
        1,
        error,
      )
    })
    const { statusCode: status = 0 } = response
    const answer = tryParseJson(await readBodyText(response, mostBytes))
    if (status === 401 || status === 403)
      throw new CliError(`${name} refuses the API key (status ${status})`)
    if (status !== 200 || answer === undefined)
      throw new CliError(`${name} answered with status ${status}, and not as its documents say`)
    return answer
  }
}
