// Sessions of browsers: where their cookie counts, what it may do, and how it ends.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { IncomingMessage } from 'node:http'
import type { AuditRecord } from '../../../src/audit/record.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'

const ours = { 'sec-fetch-site': 'same-origin' }

interface Browser {
  readonly cookie: string
  readonly csrf: string
  readonly secret: string
}

let controller: TestController
let ann: string

/** As a browser sends it: no Authorization, and never a header by itself. */
const send = (
  method: string,
  path: string,
  { headers, body }: { headers?: Record<string, string>; body?: unknown } = {},
): Promise<Answer> =>
  controller.call(method, path, {
    headers: { authorization: '', ...headers },
    ...(body === undefined ? {} : { body }),
  })

const admin = async (method: string, path: string, body?: unknown): Promise<Answer> => {
  const answer = await controller.call(method, path, body === undefined ? {} : { body })
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
  return answer
}

const cookieIn = (answer: Answer): string =>
  (answer.headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0] ?? '').join('; ')

const browserOf = (answer: Answer): Browser => {
  const cookie = cookieIn(answer)
  return { cookie, csrf: answer.json<{ csrf: string }>().csrf, secret: cookie.split('=')[1] ?? '' }
}

const open = (body: object): Promise<Answer> =>
  send('POST', '/api/v1/session', { headers: ours, body })

const login = async (token = ann): Promise<Browser> => {
  const answer = await open({ token })
  expect(answer.status).toBe(201)
  return browserOf(answer)
}

/** A request of a page of ours. */
const ask = (
  { cookie, csrf }: Browser,
  method: string,
  path: string,
  { headers, body }: { headers?: Record<string, string>; body?: unknown } = {},
): Promise<Answer> =>
  send(method, `/api/v1${path}`, {
    headers: { ...ours, cookie, 'stagely-csrf': csrf, ...headers },
    body,
  })

const newToken = async (user: string, spec: object): Promise<string> =>
  (await admin('POST', `/api/v1/users/${user}/tokens`, spec)).json<{ token: string }>().token

const reveal = '/projects/red%2Fshop/secrets/db.global/reveal'

beforeAll(async () => {
  controller = await startTestController({ argv: ['--login-limit', '100'] })
  await admin('POST', '/api/v1/teams', { name: 'red' })
  await admin('POST', '/api/v1/users', { name: 'ann' })
  await admin('PUT', '/api/v1/teams/red/members/ann', { role: 'owner' })
  await admin('POST', '/api/v1/projects', { team: 'red', name: 'shop' })
  await admin('POST', '/api/v1/projects/red%2Fshop/secrets', {
    key: 'DB',
    value: 'canary-value',
    scope: 'global',
  })
  ann = await newToken('ann', { name: 'laptop' })
})
afterAll(() => controller.remove())

describe('the session of a browser', () => {
  it('is a cookie that pages cannot read, and that only this host gets', async () => {
    const answer = await open({ token: ann })
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^__Host-stagely=sst_[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/,
      ),
    ])
    expect(answer.headers['cache-control']).toBe('no-store')
    const { user, csrf, expires_at, confirmed_until } = answer.json<Record<string, string>>()
    expect(user).toBe('ann')
    const hours = (Date.parse(expires_at ?? '') - Date.now()) / 3_600_000
    expect(hours).toBeGreaterThan(11.9)
    expect(hours).toBeLessThanOrEqual(12)
    const minutes = (Date.parse(confirmed_until ?? '') - Date.now()) / 60_000
    expect(minutes).toBeGreaterThan(9)
    expect(minutes).toBeLessThanOrEqual(10)
    const browser = browserOf(answer)
    const again = await ask(browser, 'GET', '/session')
    expect(again.json()).toEqual({ user: 'ann', csrf, expires_at, confirmed_until })
    expect((await ask(browser, 'GET', '/me')).json()).toMatchObject({ name: 'ann' })
  })

  it('is told how people log in, and what the controller is, before it has one', async () => {
    expect((await send('GET', '/api/v1/auth/methods')).json()).toEqual({ token: true, oidc: null })
    expect((await send('GET', '/api/v1/meta')).json()).toMatchObject({
      name: '127.0.0.1',
      features: ['dashboard'],
      limits: { batch: 500, body: 3 * 1024 * 1024, rate: 100 },
    })
    expect((await send('GET', '/api/v1/auth/web/login')).status).toBe(404)
  })

  it('counts only in requests of our own pages, reads too', async () => {
    const { cookie } = await login()
    const read = async (headers: Record<string, string>): Promise<number> =>
      (await send('GET', '/api/v1/me', { headers: { cookie, ...headers } })).status
    expect(await read(ours)).toBe(200)
    for (const site of ['cross-site', 'same-site', 'none'])
      expect(await read({ 'sec-fetch-site': site, origin: controller.url })).toBe(403)
    // Without the header the origin says it.
    expect(await read({ origin: controller.url })).toBe(200)
    expect(await read({})).toBe(403)
    for (const origin of ['https://evil.example', 'null', controller.url.replace('https', 'http')])
      expect(await read({ origin })).toBe(403)
  })

  it('changes something only with the header that our own pages know', async () => {
    const browser = await login()
    const change = (csrf: Record<string, string>): Promise<Answer> =>
      send('PATCH', '/api/v1/projects/red%2Fshop', {
        headers: { ...ours, cookie: browser.cookie, ...csrf },
        body: { description: 'by a browser' },
      })
    const other = await login()
    for (const wrong of [{}, { 'stagely-csrf': 'none' }, { 'stagely-csrf': other.csrf }]) {
      const answer = await change(wrong)
      expect(answer.status).toBe(403)
      expect(answer.text).toContain('Stagely-CSRF')
    }
    expect((await change({ 'stagely-csrf': browser.csrf })).status).toBe(200)
  })

  it('counts at the REST API only', async () => {
    const { cookie, csrf, secret } = await login()
    const headers = { ...ours, cookie, 'stagely-csrf': csrf }
    for (const path of [
      ...['/api', '/apis', '/api/v1', '/api/v1/namespaces', '/openapi/v3', '/api/v1/events'],
      ...['/apis/stagely.dev/v1alpha1/projects', '/api/v1/namespaces/red/events'],
      '/agent/v1/stream',
    ])
      expect([path, (await send('GET', path, { headers })).status]).not.toEqual([path, 200])
    expect((await send('GET', '/api/v1/namespaces', { headers })).status).toBe(401)
    const metrics = await send('GET', '/metrics', { headers })
    expect(metrics.text).not.toContain(secret)
    // As a token it is nothing, and beside a token it is not looked at.
    const bearer = { authorization: `Bearer ${secret}` }
    expect((await send('GET', '/api/v1/me', { headers: bearer })).status).toBe(401)
    const both = { ...headers, authorization: 'Bearer spt_none' }
    expect((await send('GET', '/api/v1/me', { headers: both })).status).toBe(401)
    // Nor is a token anything as a cookie.
    const swapped = { ...ours, cookie: `__Host-stagely=${ann}` }
    expect((await send('GET', '/api/v1/me', { headers: swapped })).status).toBe(401)
    expect((await open({ token: secret })).status).toBe(401)
  })

  it('reads a value only for who has proved lately who they are, and never all at once', async () => {
    const { url } = (
      await controller.call('POST', '/api/v1/session/codes', {
        headers: { authorization: `Bearer ${ann}` },
      })
    ).json<{ url: string }>()
    const browser = browserOf(await open({ code: url.split('#code=')[1] }))
    for (const [method, path, body] of [
      ['POST', reveal, {}],
      ['POST', '/tokens', { name: 'x' }],
      ['DELETE', '/tokens/laptop', undefined],
      ['PUT', '/teams/red/members/ann', { role: 'owner' }],
      ['DELETE', '/projects/red%2Fshop?erase=true', undefined],
    ] as const) {
      const answer = await ask(browser, method, path, { body })
      expect([path, answer.status]).toEqual([path, 401])
      expect(answer.json()).toMatchObject({ reason: 'ConfirmationRequired' })
    }
    const stranger = { body: { token: controller.token } }
    expect((await ask(browser, 'POST', '/session/confirm', stranger)).status).toBe(403)
    const confirmed = await ask(browser, 'POST', '/session/confirm', { body: { token: ann } })
    expect(confirmed.status).toBe(200)
    expect(await ask(browser, 'GET', '/session').then((a) => a.json())).toMatchObject(
      confirmed.json(),
    )
    const read = await ask(browser, 'POST', reveal, { body: {} })
    expect(read.json()).toMatchObject({ value: 'canary-value' })
    const all = await ask(browser, 'POST', '/projects/red%2Fshop/reveal', { body: {} })
    expect(all.status).toBe(403)
    expect(all.text).not.toContain('canary-value')
    const codes = await ask(browser, 'POST', '/session/codes')
    expect(codes.status).toBe(403)
  })

  it('may what the token may that opened it, and ends when that is revoked', async () => {
    const token = await newToken('ann', { name: 'reader', read_only: true })
    const browser = await login(token)
    expect((await ask(browser, 'GET', '/me')).json()).toMatchObject({ token: { read_only: true } })
    const change = { body: { description: 'no' } }
    expect((await ask(browser, 'PATCH', '/projects/red%2Fshop', change)).status).toBe(403)
    expect((await ask(browser, 'POST', '/tokens', { body: { name: 'x' } })).status).toBe(403)
    await admin('DELETE', '/api/v1/users/ann/tokens/reader')
    const answer = await ask(browser, 'GET', '/me')
    expect([answer.status, answer.json()]).toMatchObject([
      401,
      { detail: 'the session was revoked' },
    ])
  })

  it('is confirmed by no token that may less than it', async () => {
    const browser = await login()
    const limits = {
      readers: { read_only: true },
      viewers: { role: 'viewer' },
      reds: { teams: ['red'] },
    }
    for (const [name, spec] of Object.entries(limits)) {
      const token = await newToken('ann', { name, ...spec })
      const answer = await ask(browser, 'POST', '/session/confirm', { body: { token } })
      expect([name, answer.status]).toEqual([name, 403])
      expect(answer.text).toContain('a token with scopes confirms no session that has none')
      // It confirms the session that it has opened, which may no more.
      const own = await login(token)
      expect((await ask(own, 'POST', '/session/confirm', { body: { token } })).status).toBe(200)
    }
  })

  it('lasts no longer than the token that opened it', async () => {
    const expires_at = toFineTimestamp(Date.now() + 600_000)
    const token = await newToken('ann', { name: 'short', expires_at })
    const answer = await open({ token })
    const ends = Date.parse(answer.json<{ expires_at: string }>().expires_at)
    expect(ends).toBeLessThanOrEqual(Date.parse(expires_at))
  })

  it('is for people: a machine gets none', async () => {
    const made = await admin('POST', '/api/v1/teams/red/tokens', { name: 'ci', role: 'viewer' })
    const { token } = made.json<{ token: string }>()
    expect((await open({ token })).status).toBe(403)
    const headers = { authorization: `Bearer ${token}` }
    expect((await controller.call('GET', '/api/v1/me/sessions', { headers })).status).toBe(403)
  })

  it('opens for no page of another site', async () => {
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: controller.url },
      { origin: 'https://evil.example' },
    ]) {
      const answer = await send('POST', '/api/v1/session', { headers, body: { token: ann } })
      expect([answer.status, answer.headers['set-cookie']]).toEqual([403, undefined])
    }
    // A program is no page.
    expect((await send('POST', '/api/v1/session', { body: { token: ann } })).status).toBe(201)
    const both = await open({ token: ann, code: 'c'.repeat(43) })
    expect([both.status, (await open({})).status]).toEqual([422, 422])
    expect(both.text).not.toContain(ann)
  })

  it('is seen and ended by its person, from another browser too', async () => {
    const [here, there] = [await login(), await login()]
    const headers = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/148.0' }
    const third = browserOf(
      await send('POST', '/api/v1/session', {
        headers: { ...ours, ...headers },
        body: { token: ann },
      }),
    )
    const list = async (): Promise<Record<string, unknown>[]> =>
      (await ask(here, 'GET', '/me/sessions')).json<{ sessions: Record<string, unknown>[] }>()
        .sessions
    const current = async (browser: Browser): Promise<string> =>
      (await ask(browser, 'GET', '/me')).json<{ token: { id: string } }>().token.id
    const [mine, theirs] = [await current(here), await current(there)]
    const sessions = await list()
    expect(sessions.filter((one) => one['current'] === true).map((one) => one['id'])).toEqual([
      mine,
    ])
    expect(sessions.find((one) => one['id'] === theirs)).toMatchObject({ address: '127.0.0.1' })
    const firefox = sessions.find((one) => one['browser'] === 'Firefox on Linux')
    expect(firefox?.['id']).toBe(await current(third))
    // They are no tokens of the list of tokens.
    const tokens = await ask(here, 'GET', '/tokens')
    expect(tokens.text).not.toContain('session-')
    expect((await ask(here, 'DELETE', `/me/sessions/${theirs}`)).status).toBe(200)
    expect((await ask(there, 'GET', '/me')).status).toBe(401)
    expect((await ask(here, 'DELETE', `/me/sessions/${theirs}`)).status).toBe(404)
    const logout = await ask(here, 'DELETE', '/session')
    expect(logout.status).toBe(204)
    expect(logout.headers['clear-site-data']).toBe('"cache", "storage"')
    expect(logout.headers['set-cookie']?.[0]).toMatch(/^__Host-stagely=; .*Max-Age=0$/)
    expect((await ask(here, 'GET', '/session')).status).toBe(401)
  })

  it('ends with its person, and so do its open streams, which say why', async () => {
    await admin('POST', '/api/v1/users', { name: 'eve' })
    await admin('PUT', '/api/v1/teams/red/members/eve', { role: 'viewer' })
    const browser = await login(await newToken('eve', { name: 'laptop' }))
    const stream: IncomingMessage = await controller.open('/api/v1/stream', {
      authorization: '',
      cookie: browser.cookie,
      ...ours,
    })
    let text = ''
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const ended = new Promise((resolve) => stream.once('end', resolve))
    await admin('PATCH', '/api/v1/users/eve', { disabled: true })
    await ended
    expect(text).toMatch(/event: end\ndata: \{"reason":"login"\}\n\n$/)
    const answer = await ask(browser, 'GET', '/me')
    expect(answer.json()).toMatchObject({ detail: 'the user of this session is disabled' })
    // It has ended for good.
    await admin('PATCH', '/api/v1/users/eve', { disabled: false })
    expect((await ask(browser, 'GET', '/me')).status).toBe(401)
  })

  it('opens once by the code of a link, which asks first whom it is for', async () => {
    const asAnn = { headers: { authorization: `Bearer ${ann}` } }
    const made = await controller.call('POST', '/api/v1/session/codes', asAnn)
    const { url } = made.json<{ url: string }>()
    expect(url).toMatch(new RegExp(`^${controller.url}/ui/login#code=[\\w-]{43}$`))
    const code = url.split('#code=')[1] ?? ''
    const look = (): Promise<Answer> =>
      send('POST', '/api/v1/session/codes/look', { headers: ours, body: { code } })
    expect((await look()).json()).toMatchObject({ user: 'ann' })
    const first = await open({ code })
    expect(first.json()).toMatchObject({ user: 'ann' })
    expect(first.json()).not.toHaveProperty('confirmed_until')
    expect([(await open({ code })).status, (await look()).status]).toEqual([401, 401])
  })

  it('is in the audit log with its logins, and nothing that opens it is', async () => {
    const browser = await login()
    await ask(browser, 'DELETE', '/session')
    const expired = await send('GET', '/api/v1/me', {
      headers: { ...ours, cookie: browser.cookie },
    })
    expect(expired.status).toBe(401)
    const answer = await admin('GET', '/api/v1/audit?limit=1000')
    const { rows } = answer.json<{ rows: AuditRecord[] }>()
    const of = (action: string): AuditRecord | undefined =>
      rows.find((row) => row.action === action)
    expect(of('login')).toMatchObject({
      actor: { name: 'ann', address: '127.0.0.1' },
      object: { kind: 'User', name: 'ann' },
      detail: { by: 'token' },
    })
    expect(of('logout')).toMatchObject({ actor: { name: 'ann' } })
    expect(rows.some(({ detail }) => detail?.['why'] === 'CrossSite')).toBe(true)
    expect(rows.some(({ detail }) => detail?.['why'] === 'TokenRevoked')).toBe(true)
    expect(answer.text).not.toMatch(/sst_[\w-]{9}/)
    for (const secret of [browser.secret, browser.csrf, ann])
      expect(answer.text).not.toContain(secret)
  })
})

describe('without TLS, on loopback', () => {
  let plain: TestController
  beforeAll(async () => {
    plain = await startTestController({ argv: ['--insecure-http'] })
  })
  afterAll(() => plain.remove())

  const post = (path: string, body: object): Promise<Response> =>
    fetch(`${plain.url}/api/v1/session${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })

  it('the cookie has a name and attributes that browsers accept there', async () => {
    const answer = await post('', { token: plain.token })
    const [cookie = ''] = answer.headers.getSetCookie()
    expect(cookie).toMatch(/^stagely=sst_[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
    const me = await fetch(`${plain.url}/api/v1/me`, {
      headers: { cookie: cookie.split(';')[0] ?? '', origin: plain.url },
    })
    expect(await me.json()).toMatchObject({ name: 'admin' })
  })

  it('is not guessed there or elsewhere: who fails five times within a minute waits', async () => {
    const statuses: number[] = []
    for (let i = 0; i < 6; i++) statuses.push((await post('', { token: `spt_${i}` })).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
    const refused = await post('', { token: plain.token })
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await post('/codes/look', { code: 'c'.repeat(43) })).status).toBe(429)
    const headers = { authorization: `Bearer ${plain.token}` }
    const audit = await fetch(`${plain.url}/api/v1/audit?result=denied`, { headers })
    expect(await audit.text()).toContain('"why":"Login"')
  })
})
