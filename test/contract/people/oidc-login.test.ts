// People log in by a real OpenID provider, through the command line's own code.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loginByBrowser, type LoginByBrowser } from '../../../cli/people/browser-login.ts'
import { loginWord } from '../../../src/access/login-word.ts'
import { parseConfig } from '../../../controller/config.ts'
import { startController, type RunningController } from '../../../controller/wire.ts'
import { readFile } from 'node:fs/promises'
import type { AuditRecord } from '../../../src/audit/record.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import { passes } from '../../support/eventually.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import {
  browse,
  oidcClient,
  startOidcProvider,
  type TestProvider,
} from '../../support/http/oidc-provider.ts'
import { freePort } from '../../support/programs/processes.ts'
import { soak } from '../../support/soak.ts'

const people = {
  ann: { email: 'ann@example.com', verified: true, groups: ['dev', 'ops'] },
  bob: { email: 'bob@example.com', verified: true, groups: [] as string[] },
  eve: { email: 'eve@elsewhere.org', verified: true, groups: [] },
  mal: { email: 'ann@example.com', verified: false, groups: [] },
  carol: { email: 'carol@example.com', verified: true, groups: [] },
  dan: { email: 'dan@example.com', verified: true, groups: [] },
  twin: { email: 'ann@example.com', verified: true, groups: [] },
}

describe('login by an OpenID provider', () => {
  let controller: RunningController
  let provider: TestProvider
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let dir: string
  let admin: string
  const lines: string[] = []
  const record = (fields: object, message: string): void => {
    lines.push(JSON.stringify({ ...fields, message }))
  }
  const log: Logger = {
    debug: record,
    info: record,
    warn: record,
    error: record,
    child: () => log,
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'stagely-oidc-'))
    database = await freshDatabase()
    const port = await freePort()
    const base = `http://127.0.0.1:${port}`
    provider = await startOidcProvider(people, `${base}/auth/callback`)
    const secretFile = join(dir, 'client-secret')
    await writeFile(secretFile, `${oidcClient.secret}\n`)
    const argv = [
      ...['--data-dir', join(dir, 'data'), '--listen', `127.0.0.1:${port}`, '--insecure-http'],
      ...['--oidc-issuer', provider.issuer, '--oidc-client-id', oidcClient.id],
      ...['--oidc-client-secret-file', secretFile, '--oidc-domain', 'example.com'],
      ...['--failure-limit', '5'],
      ...['--oidc-group', 'dev=team-a:developer', 'ops=nowhere:owner'],
      ...['--oidc-group', 'ops=team-a:maintainer:project=shop:environment=preview'],
    ]
    const env = {
      DATABASE_URL: database.url,
      STAGELY_SECRET_KEY: Buffer.alloc(32, 9).toString('base64'),
    }
    controller = await startController(parseConfig(argv, env), log, realClock)
    admin = (await readFile(join(dir, 'data', 'admin-token'), 'utf8')).trim()
    await api('/teams', admin, { method: 'POST', body: { name: 'team-a' } })
  })
  afterAll(async () => {
    await controller.stop()
    await provider.stop()
    await database.drop()
    await rm(dir, { recursive: true, force: true })
  })

  const api = async (
    path: string,
    token: string,
    call: { method?: string; body?: unknown } = {},
  ): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${controller.url}/api/v1${path}`, {
      method: call.method ?? 'GET',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    })
    return { status: response.status, body: await response.json() }
  }

  const login = async (
    person: string,
    answer = 'allow',
  ): Promise<{ login: LoginByBrowser; urls: string[] }> => {
    let browsing: ReturnType<typeof browse> | undefined
    const done = await loginByBrowser({ server: controller.url }, (url) => {
      browsing = browse(url, { name: person, answer })
    })
    return { login: done, urls: (await browsing!).urls }
  }

  it('adds the person with the roles and places of the groups, and gives a token of limited time', async () => {
    const { login: done, urls } = await login('ann')
    expect(done.token).toMatch(/^spt_/)
    expect(Date.parse(done.expires_at ?? '') - Date.now()).toBeLessThanOrEqual(12 * 3_600_000)
    expect((await api('/me', done.token)).body).toMatchObject({
      name: 'ann@example.com',
      admin: false,
      teams: [
        {
          team: 'team-a',
          role: 'maintainer',
          projects: ['shop'],
          environments: ['preview'],
        },
      ],
    })
    // The token is in no URL; nothing of the login is in the log.
    expect(urls.join('\n')).not.toContain(done.token)
    const secrets = urls.flatMap((url) => [...new URL(url).searchParams].map(([, value]) => value))
    const telling = [...secrets.filter((value) => /^[\w-]{20,}$/.test(value)), done.token]
    expect(telling.length).toBeGreaterThan(4)
    for (const secret of [...telling, oidcClient.secret])
      expect(lines.join('\n')).not.toContain(secret)
    expect(lines.join('\n')).toContain('/auth/callback')
  })

  it('knows the person again, whose earlier token of the same machine ends', async () => {
    const first = (await login('bob')).login
    const second = (await login('bob')).login
    expect((await api('/me', first.token)).status).toBe(401)
    expect((await api('/me', second.token)).body).toMatchObject({ name: 'bob@example.com' })
    const audited = (await api('/audit?limit=1000', admin)).body as { rows: AuditRecord[] }
    const ofTokens = audited.rows.filter(({ object }) => object.kind === 'Token')
    expect(ofTokens.map(({ action }) => action).sort()).toEqual(
      ['create token', 'create token', 'create token', 'create token', 'revoke token'].sort(),
    )
    const { body } = await api('/users', admin)
    const { users } = body as { users: { email?: string }[] }
    expect(users.filter((user) => user.email === 'bob@example.com')).toHaveLength(1)
  })

  it('refuses other domains, addresses that are not verified, and who is disabled', async () => {
    await expect(login('eve')).rejects.toThrow(/elsewhere\.org may not log in/)
    await expect(login('mal')).rejects.toThrow(/has not verified/)
    const { token } = (await login('bob')).login
    await api('/users/bob@example.com', admin, { method: 'PATCH', body: { disabled: true } })
    expect((await api('/me', token)).status).toBe(401)
    await expect(login('bob')).rejects.toThrow(/is disabled/)
  })

  it('refuses a provider that vouches for another login than this one', async () => {
    try {
      for (const nonce of ['n'.repeat(43), '']) {
        provider.nonce = nonce
        await expect(login('ann')).rejects.toThrow(/the login was not accepted/)
      }
    } finally {
      provider.nonce = undefined
    }
    expect((await login('ann')).login.token).toMatch(/^spt_/)
  })

  it('leaves a row of each refused login: who, from where, in which request, and no secret', async () => {
    const refused = async (): Promise<AuditRecord[]> => {
      const { body } = await api('/audit?result=denied&limit=100', admin)
      const { rows } = body as { rows: AuditRecord[] }
      return rows.filter(({ object }) => object.name.startsWith('/auth/'))
    }
    const actors = (await refused()).map(({ actor }) => actor.name)
    // An address that is not verified may be anybody's.
    const people = ['ann@example.com', 'anonymous', 'bob@example.com', 'eve@elsewhere.org']
    expect([...new Set(actors)].sort()).toEqual(people)
    const rows = await refused()
    for (const row of rows) {
      expect(row).toMatchObject({
        action: 'deny',
        actor: { source: 'api', address: '127.0.0.1' },
        object: { kind: 'Request' },
        result: 'denied',
        request_id: expect.any(String) as string,
        detail: { why: 'Login', status: 403, path: row.object.name },
      })
      expect(['/auth/callback', '/auth/allow']).toContain(row.object.name)
    }
    const { body } = await api('/users', admin)
    const { users } = body as { users: { id: string; name: string }[] }
    const bob = users.find(({ name }) => name === 'bob@example.com')!
    expect(rows.find(({ actor }) => actor.name === bob.name)?.actor.id).toBe(bob.id)
    // A second identity of the provider with the address of somebody who is known.
    await expect(login('twin')).rejects.toThrow(/another identity/)
    const exchange = await fetch(`${controller.url}/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: 'c'.repeat(43), code_verifier: 'v'.repeat(43), name: 'x' }),
    })
    expect(exchange.status).toBe(401)
    const now = await refused()
    expect(now.map(({ object }) => object.name)).toContain('/auth/token')
    expect(JSON.stringify(now)).not.toMatch(/code=|state=|c{43}|v{43}/)
  })

  it('redirects nowhere but to a loopback address', async () => {
    const begin = (redirect: string): Promise<Response> => {
      const query = new URLSearchParams({
        redirect_uri: redirect,
        state: 's'.repeat(32),
        code_challenge: 'c'.repeat(43),
        code_challenge_method: 'S256',
      })
      return fetch(`${controller.url}/auth/login?${query.toString()}`, { redirect: 'manual' })
    }
    for (const bad of [
      'https://evil.example/callback',
      'http://127.0.0.1:80@evil.example/callback',
      'http://127.0.0.1.evil.example:8080/callback',
      'http://127.0.0.1:8080/callback?x=1',
      'http://localhost:8080/callback',
    ])
      expect((await begin(bad)).status).toBe(400)
    const good = await begin('http://127.0.0.1:8080/callback')
    expect(good.status).toBe(302)
    const query = new URL(good.headers.get('location') ?? '').searchParams
    expect(query.get('code_challenge_method')).toBe('S256')
    expect([query.get('prompt'), query.get('max_age')]).toEqual(['login', '600'])
    expect((await begin('http://127.0.0.1:99999/callback')).status).toBe(400)
    expect([...query.keys()]).toEqual(expect.arrayContaining(['state', 'nonce', 'code_challenge']))
  })

  it('logs a browser in, which comes back to the page that it came from', async () => {
    const cookies = new Map<string, string>()
    const page = '/ui/t/team-a/p/shop?lens=list&q=key:DB_*'
    const start = `${controller.url}/api/v1/auth/web/login?return_to=${encodeURIComponent(page)}`
    const first = await fetch(start, { redirect: 'manual' })
    expect(first.status).toBe(303)
    expect(first.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^stagely-login=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/,
      ),
    ])
    const { urls } = await browse(start, 'ann', [], cookies)
    expect(urls.at(-1)).toBe(controller.url + page)
    const secret = cookies.get('stagely') ?? ''
    expect(secret).toMatch(/^sst_[\w-]{43}$/)
    expect(cookies.get('stagely-login')).toBe('')
    const headers = { cookie: `stagely=${secret}`, 'sec-fetch-site': 'same-origin' }
    const session = await fetch(`${controller.url}/api/v1/session`, { headers })
    expect(await session.json()).toMatchObject({ user: 'ann@example.com' })
    expect(urls.join('\n')).not.toContain(secret)
    expect(lines.join('\n')).not.toContain(secret)
    const { body } = await api('/audit?limit=1000', admin)
    expect(JSON.stringify(body)).not.toContain(secret)
    const { rows } = body as { rows: AuditRecord[] }
    expect(rows.find(({ detail }) => detail?.['by'] === 'provider')).toMatchObject({
      action: 'login',
      actor: { address: '127.0.0.1' },
      object: { name: 'ann@example.com' },
    })
    const methods = await fetch(`${controller.url}/api/v1/auth/methods`)
    expect(await methods.json()).toMatchObject({ oidc: { issuer: provider.issuer } })
  })

  it('leads a browser to no page but its own, and only the browser that began', async () => {
    const begin = (page: string): Promise<Response> =>
      fetch(`${controller.url}/api/v1/auth/web/login?return_to=${encodeURIComponent(page)}`, {
        redirect: 'manual',
      })
    for (const bad of [
      'https://evil.example/',
      '//evil.example',
      '/',
      '/ui/\\evil',
      '/ui/#x',
      '/ui/../auth/login?redirect_uri=http://127.0.0.1:1/callback',
      'ui/',
    ])
      expect([bad, (await begin(bad)).status]).toEqual([bad, 422])
    // Somebody sends a link that would log others into a stranger's account.
    const [stranger, victim] = [new Map<string, string>(), new Map<string, string>()]
    const started = await begin('/ui/')
    const urls: string[] = []
    await browse(started.headers.get('location') ?? '', 'ann', urls, stranger)
    const callback = urls.find((url) => url.includes('/auth/callback')) ?? ''
    expect(urls.at(-1)).toContain('/ui/login?error=this+login+was+begun+in+another+browser')
    const [, why = ''] = [...stranger].find(([name]) => name.endsWith('stagely-refused')) ?? []
    expect(new URLSearchParams(`why=${why}`).get('why')).toMatch(
      /^this login was begun in another browser/,
    )
    await browse(callback, 'ann', [], victim)
    expect([stranger.get('stagely'), victim.get('stagely')]).toEqual([undefined, undefined])
  })

  it('confirms the person of a session, who has just logged in again', async () => {
    const cookies = new Map<string, string>()
    await browse(`${controller.url}/api/v1/auth/web/login`, 'ann', [], cookies)
    const cookie = `stagely=${cookies.get('stagely') ?? ''}`
    const own = { cookie, 'sec-fetch-site': 'same-origin' }
    const confirmedUntil = async (): Promise<number> => {
      const answer = await fetch(`${controller.url}/api/v1/session`, { headers: own })
      return Date.parse(((await answer.json()) as { confirmed_until: string }).confirmed_until)
    }
    const confirm = async (
      person: string,
      jar = new Map<string, string>(),
    ): Promise<string | undefined> => {
      const start = `${controller.url}/api/v1/auth/web/login?confirm=true&return_to=/ui/me`
      const first = await fetch(start, { redirect: 'manual', headers: own })
      const to = new URL(first.headers.get('location') ?? '')
      expect([to.searchParams.get('prompt'), to.searchParams.get('max_age')]).toEqual([
        'login',
        '600',
      ])
      const [, state = ''] =
        /stagely-login=([^;]+)/.exec(first.headers.getSetCookie()[0] ?? '') ?? []
      // The cookie of the session does not come with a redirect from the provider.
      jar.set('stagely-login', state)
      jar.delete('stagely')
      const { urls } = await browse(to.href, person, [], jar)
      return urls.at(-1)
    }
    const before = await confirmedUntil()
    // Times are told in whole seconds.
    await realClock.sleep(1_100)
    expect(await confirm('ann')).toBe(`${controller.url}/ui/me`)
    expect(await confirmedUntil()).toBeGreaterThan(before)
    const after = await confirmedUntil()
    await api('/users/bob@example.com', admin, { method: 'PATCH', body: { disabled: false } })
    expect(await confirm('bob')).toContain('somebody+else')
    provider.isLenient = true
    expect(await confirm('ann', cookies)).toContain('does+not+say+when')
    provider.isLenient = false
    expect(await confirmedUntil()).toBe(after)
    const nobody = await fetch(`${controller.url}/api/v1/auth/web/login?confirm=true`, {
      redirect: 'manual',
    })
    expect(nobody.status).toBe(401)
  })

  it('lets people in however many logins are begun', async () => {
    const query = new URLSearchParams({
      redirect_uri: 'http://127.0.0.1:80/callback',
      state: 's'.repeat(32),
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
    })
    const begin = async (): Promise<number> =>
      (await fetch(`${controller.url}/auth/login?${query.toString()}`, { redirect: 'manual' }))
        .status
    for (let round = 0; round < soak(4, 21); round++)
      expect(new Set(await Promise.all(Array.from({ length: 50 }, begin)))).toEqual(new Set([302]))
  })

  it('takes each state and each code once, and no code without its verifier', async () => {
    const unknown = await fetch(`${controller.url}/auth/callback?state=none&code=none`)
    expect(unknown.status).toBe(400)
    const exchange = (code: string, verifier: string): Promise<Response> =>
      fetch(`${controller.url}/auth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code, code_verifier: verifier, name: 'thief' }),
      })
    const verifier = 'v'.repeat(43)
    const query = new URLSearchParams({
      // Nothing listens there: the browser's last step fails, and the code is seen in its URL.
      redirect_uri: `http://127.0.0.1:${await freePort()}/callback`,
      state: 's'.repeat(32),
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    })
    const jar = new Map<string, string>()
    const codeOf = async (): Promise<{ code: string; callback: string }> => {
      const urls: string[] = []
      const start = `${controller.url}/auth/login?${query.toString()}`
      await browse(start, 'ann', urls, jar).catch(() => undefined)
      const callback = urls.find((url) => url.includes('/auth/callback')) ?? ''
      return { code: new URL(urls.at(-1) ?? '').searchParams.get('code') ?? '', callback }
    }
    const stolen = await codeOf()
    const state = new URL(stolen.callback).searchParams.get('state') ?? ''
    const again = { cookie: `stagely-command-login=${state}` }
    const replay = await fetch(stolen.callback, { redirect: 'manual', headers: again })
    expect(replay.status).toBe(400)
    expect((await exchange(stolen.code, 'w'.repeat(43))).status).toBe(401)
    expect((await exchange(stolen.code, verifier)).status).toBe(401)
    const own = await codeOf()
    expect((await exchange(own.code, verifier)).status).toBe(201)
    expect((await exchange(own.code, verifier)).status).toBe(401)
  })

  const sessionOf = async (cookies: Map<string, string>) => {
    const headers = {
      cookie: `stagely=${cookies.get('stagely') ?? ''}`,
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/json',
    }
    const shown = await fetch(`${controller.url}/api/v1/session`, { headers })
    const { csrf, confirmed_until: until } = (await shown.json()) as Record<string, string>
    const post = async (path: string, body: object): Promise<{ status: number; text: string }> => {
      const answer = await fetch(`${controller.url}/api/v1${path}`, {
        method: 'POST',
        headers: { ...headers, 'stagely-csrf': csrf ?? '' },
        body: JSON.stringify(body),
      })
      return { status: answer.status, text: await answer.text() }
    }
    return { until, post, headers }
  }

  const inBrowser = async (person: string) => {
    const cookies = new Map<string, string>()
    await browse(`${controller.url}/api/v1/auth/web/login`, person, [], cookies)
    return sessionOf(cookies)
  }

  it('confirms a session only where the provider vouches for a login of the last ten minutes', async () => {
    const fresh = await inBrowser('ann')
    const minutes = (Date.parse(fresh.until ?? '') - Date.now()) / 60_000
    expect(minutes).toBeGreaterThan(8)
    expect(minutes).toBeLessThanOrEqual(10)
    provider.ageSeconds = 8 * 3_600
    try {
      const old = await inBrowser('ann')
      expect(old.until).toBeUndefined()
      expect((await old.post('/tokens', { name: 'minted' })).text).toContain('ConfirmationRequired')
    } finally {
      provider.ageSeconds = 0
    }
  })

  it('confirms a session by no token of a login at which the provider asked nobody, nor by one that such a one made', async () => {
    provider.ageSeconds = 8 * 3_600
    const asleep = (await login('ann')).login.token
    provider.ageSeconds = 0
    const made = (await api('/tokens', asleep, { method: 'POST', body: { name: 'made' } })).body
    const browser = await inBrowser('ann')
    for (const token of [asleep, (made as { token: string }).token])
      expect(await browser.post('/session/confirm', { token })).toMatchObject({
        status: 403,
        text: expect.stringContaining('without a fresh login') as string,
      })
    const opened = await fetch(`${controller.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: (made as { token: string }).token }),
    })
    expect([opened.status, await opened.json()]).toEqual([
      201,
      expect.not.objectContaining({ confirmed_until: expect.anything() as unknown }),
    ])
    const awake = (await login('ann')).login.token
    expect((await browser.post('/session/confirm', { token: awake })).status).toBe(200)
    const body = { name: 'its-child' }
    const child = (await api('/tokens', awake, { method: 'POST', body })).body as { token: string }
    expect((await browser.post('/session/confirm', { token: child.token })).status).toBe(200)
  })

  it('asks on a page of its own, which shows what the command line shows, before it gives a code', async () => {
    await expect(login('ann', 'refuse')).rejects.toThrow(/you did not allow this command line/)
    const query = new URLSearchParams({
      redirect_uri: `http://127.0.0.1:${await freePort()}/callback`,
      state: 's'.repeat(32),
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
    })
    const start = `${controller.url}/auth/login?${query.toString()}`
    const jar = new Map<string, string>()
    const page = await browse(start, { name: 'ann', answer: '' }, [], jar)
    expect(page.status).toBe(200)
    expect(page.urls.join(' ')).not.toContain('&code=c')
    expect(page.text).toContain('Allow this command line to log in as ann@example.com?')
    expect(page.text).toContain(loginWord('c'.repeat(43)))
    const ticket = /name="ticket" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const allow = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${controller.url}/auth/allow`, {
        method: 'POST',
        redirect: 'manual',
        headers,
        body: new URLSearchParams({ ticket, answer: 'allow' }),
      })
    for (const headers of [
      { cookie, 'sec-fetch-site': 'cross-site' },
      { cookie, 'sec-fetch-site': 'same-site' },
      { cookie, origin: 'https://evil.example' },
      { 'sec-fetch-site': 'same-origin' },
    ]) {
      const refused = await allow(headers)
      expect([refused.status, refused.headers.get('location')]).toEqual([403, null])
    }
    const ours = { cookie, 'sec-fetch-site': 'same-origin' }
    expect((await allow(ours)).headers.get('location')).toMatch(/[?&]code=[\w-]{43}$/)
    // Once.
    expect((await allow(ours)).headers.get('location')).toMatch(/error=this\+login\+was\+used/)
  })

  it('links no account that is in use by its address alone, but one whose person is logged in', async () => {
    for (const name of ['carol', 'dan'])
      await api('/users', admin, { method: 'POST', body: { name, email: `${name}@example.com` } })
    const made = await api('/users/carol/tokens', admin, {
      method: 'POST',
      body: { name: 'laptop' },
    })
    await expect(login('carol')).rejects.toThrow(/user "carol" .* logs in with tokens/)
    expect((await login('dan')).login.user).toBe('dan')
    const opened = await fetch(`${controller.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: (made.body as { token: string }).token }),
    })
    const cookies = new Map([
      ['stagely', /stagely=([^;]+)/.exec(opened.headers.getSetCookie()[0] ?? '')?.[1] ?? ''],
    ])
    const { headers } = await sessionOf(cookies)
    const start = `${controller.url}/api/v1/auth/web/login?confirm=true&return_to=/ui/me`
    const first = await fetch(start, { redirect: 'manual', headers })
    const [, state = ''] = /stagely-login=([^;]+)/.exec(first.headers.getSetCookie()[0] ?? '') ?? []
    const jar = new Map([['stagely-login', state]])
    const { urls } = await browse(first.headers.get('location') ?? '', 'carol', [], jar)
    expect(urls.at(-1)).toBe(`${controller.url}/ui/me`)
    expect((await login('carol')).login.user).toBe('carol')
  })

  it('counts no request that another site can cause: they close nobody’s address', async () => {
    const started = await fetch(`${controller.url}/api/v1/auth/web/login?return_to=/ui/`, {
      redirect: 'manual',
    })
    const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
    for (const [query, status] of [
      ['state=none&code=none', 400],
      [`state=${state}&code=none`, 303],
    ] as const)
      for (let i = 0; i < 60; i++) {
        const answer = await fetch(`${controller.url}/auth/callback?${query}`, {
          redirect: 'manual',
        })
        expect(answer.status).toBe(status)
      }
    expect((await inBrowser('ann')).until).toBeDefined()
  })

  it('lets nobody ask the provider and the database as often as he likes', async () => {
    const statuses: number[] = []
    const send = async (): Promise<void> => {
      const answer = await fetch(`${controller.url}/auth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          code: 'c'.repeat(43),
          code_verifier: 'v'.repeat(43),
          name: 'guess',
        }),
      })
      statuses.push(answer.status)
    }
    // The limit counts for ten seconds: these may end between two requests.
    await passes(async () => {
      await send()
      for (let i = 0; i < 200 && statuses.at(-1) !== 429; i++) await send()
      const back = await fetch(`${controller.url}/auth/callback?state=none&code=none`)
      return back.status === 429
    })
    expect([statuses[0], statuses.at(-1)]).toEqual([401, 429])
    expect((await api('/me', admin)).status).toBe(200)
  })
})
