// A real OpenID provider on loopback, and a browser just able to log in at it.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import Provider from 'oidc-provider'

export interface TestPerson {
  readonly email: string
  readonly verified: boolean
  readonly groups: readonly string[]
}

export interface TestProvider {
  readonly issuer: string
  /** Undefined: the nonce that was asked for is vouched for; else this one, or none with ''. */
  nonce: string | undefined
  /** True: who is logged in there is not asked again, whatever the client wants. */
  isLenient: boolean
  /** Logins are told as so many seconds older than they are. */
  ageSeconds: number
  stop(): Promise<void>
}

export const oidcClient = { id: 'stagely', secret: 'a client secret for tests' }

export const startOidcProvider = async (
  people: Readonly<Record<string, TestPerson>>,
  callback: string,
  port = 0,
  /** As Google: it refuses `prompt=login`, lets people choose an account, and does not say when they logged in. */
  { isLikeGoogle = false } = {},
): Promise<TestProvider> => {
  const server: Server = createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: oidcClient.id,
        client_secret: oidcClient.secret,
        redirect_uris: [callback],
        grant_types: ['authorization_code'],
      },
    ],
    pkce: { required: () => true },
    discovery: isLikeGoogle ? { prompt_values_supported: ['none', 'select_account'] } : {},
    cookies: { keys: ['for tests'] },
    scopes: ['openid', 'email', 'profile', 'groups'],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name'],
      groups: ['groups'],
    },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        name: `Person ${id}`,
        email: people[id]?.email,
        email_verified: people[id]?.verified,
        groups: people[id]?.groups,
      }),
    }),
  })
  const handle = provider.callback()
  const self: TestProvider = {
    issuer,
    nonce: undefined,
    isLenient: false,
    ageSeconds: 0,
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  provider.Session.prototype.authTime = function authTime(this: { loginTs: number }): number {
    return this.loginTs - self.ageSeconds
  }
  server.on('request', (request, response) => {
    const url = new URL(request.url ?? '/', issuer)
    if (url.searchParams.has('nonce') && self.nonce !== undefined) {
      if (self.nonce === '') url.searchParams.delete('nonce')
      else url.searchParams.set('nonce', self.nonce)
      request.url = url.pathname + url.search
    }
    if (isLikeGoogle && url.searchParams.get('prompt') === 'login') {
      response.writeHead(400).end('Invalid parameter value for prompt')
      return
    }
    if ((self.isLenient || isLikeGoogle) && url.searchParams.has('max_age')) {
      url.searchParams.delete('prompt')
      url.searchParams.delete('max_age')
      request.url = url.pathname + url.search
    }
    handle(request, response)
  })
  return self
}

/** What the person fills in: at the provider who they are, at the controller whether the command line may log in. */
const filledIn = (page: string, person: string, answer: string): URLSearchParams => {
  const ticket = /name="ticket" value="([^"]+)"/.exec(page)?.[1]
  if (ticket !== undefined) return new URLSearchParams({ ticket, answer })
  const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1] ?? ''
  return new URLSearchParams({ prompt, login: person, password: 'any' })
}

interface BrowsingPerson {
  readonly name: string
  /** To the page that asks whether a command line may log in: allow, refuse, or nothing. */
  readonly answer: string
}

/**
 * Follows redirects as a browser and logs `person` in where it is asked to. `urls` gets each step, and `cookies` has
 * what the browser holds.
 */
export const browse = async (
  start: string,
  person: string | BrowsingPerson,
  urls: string[] = [],
  cookies = new Map<string, string>(),
): Promise<{ readonly urls: string[]; readonly status: number; readonly text: string }> => {
  const { name, answer } = typeof person === 'string' ? { name: person, answer: 'allow' } : person
  let url = start
  let form: URLSearchParams | undefined
  for (let step = 0; step < 20; step++) {
    urls.push(url)
    const response = await fetch(url, {
      redirect: 'manual',
      method: form === undefined ? 'GET' : 'POST',
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form === undefined ? {} : { 'sec-fetch-site': 'same-origin' }),
      },
      ...(form === undefined ? {} : { body: form }),
    })
    form = undefined
    for (const cookie of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (cookie.split(';')[0] ?? '').split('=')
      cookies.set(name, value)
    }
    const text = await response.text()
    const location = response.headers.get('location')
    if (location !== null) {
      url = new URL(location, url).href
      continue
    }
    const action = /<form[^>]* action="([^"]+)"/.exec(text)?.[1]
    const isLeft = answer === '' && text.includes('name="ticket"')
    if (action === undefined || isLeft) return { urls, status: response.status, text }
    form = filledIn(text, name, answer)
    url = new URL(action, url).href
  }
  throw new Error(`too many steps: ${urls.join(' ')}`)
}
