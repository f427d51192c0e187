// Login by a provider that is as Google: it refuses `prompt=login`, and does not say when people logged in.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loginByBrowser } from '../../../cli/people/browser-login.ts'
import { controllerHere } from '../../support/programs/controller-here.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import {
  browse,
  oidcClient,
  startOidcProvider,
  type TestProvider,
} from '../../support/http/oidc-provider.ts'
import { freePort, type Program } from '../../support/programs/processes.ts'

const people = { ann: { email: 'ann@example.com', verified: true, groups: [] } }

let database: Awaited<ReturnType<typeof freshDatabase>>
let dir: string
let provider: TestProvider
let controller: Program
let url: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stagely-oidc-'))
  database = await freshDatabase()
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  provider = await startOidcProvider(people, `${url}/auth/callback`, 0, { isLikeGoogle: true })
  const secretFile = join(dir, 'client-secret')
  await writeFile(secretFile, oidcClient.secret)
  const argv = [
    ...['--data-dir', join(dir, 'data'), '--listen', `127.0.0.1:${port}`, '--insecure-http'],
    ...['--oidc-issuer', provider.issuer, '--oidc-client-id', oidcClient.id],
    ...['--oidc-client-secret-file', secretFile, '--oidc-proof', 'round-trip'],
  ]
  const STAGELY_SECRET_KEY = Buffer.alloc(32, 9).toString('base64')
  controller = await controllerHere(argv, { DATABASE_URL: database.url, STAGELY_SECRET_KEY })
})
afterAll(async () => {
  await controller.kill('SIGTERM')
  await provider.stop()
  await database.drop()
  await rm(dir, { recursive: true, force: true })
})

const cookies = new Map<string, string>()
const own = (): Record<string, string> => ({
  cookie: `stagely=${cookies.get('stagely') ?? ''}`,
  'sec-fetch-site': 'same-origin',
  'content-type': 'application/json',
})
const session = async (): Promise<Record<string, string>> => {
  const answer = await fetch(`${url}/api/v1/session`, { headers: own() })
  return (await answer.json()) as Record<string, string>
}

it('a login that asked nobody confirms no session', async () => {
  await browse(`${url}/api/v1/auth/web/login`, 'ann', [], cookies)
  expect(await session()).toEqual({
    user: 'ann@example.com',
    csrf: expect.any(String) as string,
    expires_at: expect.any(String) as string,
  })
})

it('the command line logs in, and where the operator says that round trips count, its token confirms', async () => {
  const urls: string[] = []
  let browsing: ReturnType<typeof browse> | undefined
  const { token } = await loginByBrowser({ server: url }, (start) => {
    browsing = browse(start, 'ann', urls)
  })
  await browsing
  expect(urls.join('\n')).toContain('prompt=select_account')
  const answer = await fetch(`${url}/api/v1/session/confirm`, {
    method: 'POST',
    headers: { ...own(), 'stagely-csrf': (await session())['csrf'] ?? '' },
    body: JSON.stringify({ token }),
  })
  expect(answer.status).toBe(200)
})

it('so does a round trip to the provider, for ten minutes', async () => {
  const jar = new Map<string, string>()
  await browse(`${url}/api/v1/auth/web/login`, 'ann', [], jar)
  cookies.set('stagely', jar.get('stagely') ?? '')
  expect(await session()).not.toHaveProperty('confirmed_until')
  const start = `${url}/api/v1/auth/web/login?confirm=true&return_to=/ui/me`
  const first = await fetch(start, { redirect: 'manual', headers: own() })
  const [, state = ''] = /stagely-login=([^;]+)/.exec(first.headers.getSetCookie()[0] ?? '') ?? []
  // The cookie of the session does not come with a redirect from the provider.
  jar.set('stagely-login', state)
  jar.delete('stagely')
  const { urls } = await browse(first.headers.get('location') ?? '', 'ann', [], jar)
  expect(urls.at(-1)).toBe(`${url}/ui/me`)
  const minutes = (Date.parse((await session())['confirmed_until'] ?? '') - Date.now()) / 60_000
  expect(minutes).toBeGreaterThan(8)
  expect(minutes).toBeLessThanOrEqual(10)
})
