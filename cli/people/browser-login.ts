// Login at the controller's OpenID provider. The browser returns to a loopback address of this machine
// with a code; the code and its verifier (PKCE) are exchanged for a token. No URL holds the token.
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { loginWord } from '../../src/access/login-word.ts'
import { sameText } from '../../src/kernel/same-text.ts'
import { connectionTo, type LoginEndpoint } from '../connect/connect.ts'
import { CliError } from '../errors.ts'
import { note } from '../print.ts'
import { exchange, readJson } from '../connect/transport.ts'

const patienceMs = 300_000

export interface LoginByBrowser {
  readonly token: string
  readonly user: string
  readonly expires_at?: string
}

/**
 * Waits five minutes for the browser; `show` gives the URL to the person. CliError with the
 * controller's message when it refuses.
 */
export const loginByBrowser = async (
  endpoint: LoginEndpoint,
  show: (url: string, word: string) => void = (url, word) =>
    note(
      `Open this page in the browser of this machine:\n\n  ${url}\n\nIt asks whether this command line may log in, and shows ${word}. Waiting…`,
    ),
): Promise<LoginByBrowser> => {
  await requireProvider(endpoint)
  const verifier = randomBytes(32).toString('base64url')
  const state = randomBytes(24).toString('base64url')
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  try {
    const { port } = server.address() as AddressInfo
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    const url = new URL(`${endpoint.server}/auth/login`)
    url.search = new URLSearchParams({
      redirect_uri: `http://127.0.0.1:${port}/callback`,
      state,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    }).toString()
    show(url.href, loginWord(challenge))
    return await giveCode(endpoint, await codeFrom(server, state), verifier)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

/** Otherwise the person would wait at a page that does not exist. */
const requireProvider = async (endpoint: LoginEndpoint): Promise<void> => {
  const { server, options } = connectionTo({ ...endpoint })
  const { status } = await exchange(server, '/auth/login', {}, await options())
  if (status === 404)
    throw new CliError(
      `${server} knows no OpenID provider (its controller runs without --oidc-issuer): log in with a token, stagely login --token-file FILE`,
    )
}

const page = (response: ServerResponse, status: number, text: string): void => {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    connection: 'close',
  })
  response.end(`${text}\n`)
}

const codeFrom = (server: Server, state: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new CliError('nobody logged in within five minutes; run "stagely login" again')),
      patienceMs,
    )
    server.on('request', (request, response) => {
      const url = new URL(request.url ?? '/', 'http://127.0.0.1')
      const { searchParams: query } = url
      // Any web page may call this port: only a request with the right state is answered.
      if (url.pathname !== '/callback' || !sameText(query.get('state') ?? '', state)) {
        page(response, 404, 'not found')
        return
      }
      clearTimeout(timer)
      const code = query.get('code')
      if (code !== null) {
        page(response, 200, 'You are logged in. You may close this page.')
        resolve(code)
        return
      }
      page(response, 200, 'The login was refused; the command line says why.')
      reject(new CliError(`the login was refused: ${query.get('error') ?? 'no reason given'}`))
    })
  })

const giveCode = async (
  endpoint: LoginEndpoint,
  code: string,
  verifier: string,
): Promise<LoginByBrowser> => {
  const connection = connectionTo({ ...endpoint })
  const host = hostname()
    .replace(/[^A-Za-z0-9.-]/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
  const name = `cli@${host === '' ? 'host' : host.slice(0, 50)}`
  const body = { code, code_verifier: verifier, name }
  const call = { method: 'POST', body } as const
  const reply = await exchange(connection.server, '/auth/token', call, await connection.options())
  const answer = readJson(reply.text, connection.server) as Partial<LoginByBrowser>
  if (reply.status !== 201 || answer.token === undefined)
    throw new CliError(`${connection.server} gave no token; run "stagely login" again`)
  return answer as LoginByBrowser
}
