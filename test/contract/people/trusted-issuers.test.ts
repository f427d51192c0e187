// Jobs log in by the tokens of their own services: what they get, what they do not, and what ends it.
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { passes } from '../../support/eventually.ts'
import {
  audience,
  exchangeForm,
  forgejoClaims,
  githubClaims,
  gitlabClaims,
  kubernetesClaims,
  pullRequestClaims,
  startCiIssuer,
  type CiIssuer,
} from '../../support/http/ci-issuer.ts'
import { spoiltKeys } from '../../support/http/spoilt-keys.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import type { TestDatabase } from '../../support/databases/test-database.ts'
import {
  openStoreOf,
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'

const group = '/apis/stagely.dev/v1alpha1/namespaces/default'

const rule = (claims: object, more: object = {}) => ({
  claims,
  role: 'deployer',
  projects: ['shop'],
  environments: ['preview'],
  ...more,
})

describe('a trusted issuer', () => {
  let database: TestDatabase
  let controller: TestController
  let other: TestController
  let github: CiIssuer
  let stranger: CiIssuer
  /** Last part of the caller's. */
  let address = 1

  const exchange = (token: string, more = {}, at = controller): Promise<Answer> =>
    at.call('POST', '/auth/exchange', {
      headers: {
        authorization: '',
        'content-type': 'application/x-www-form-urlencoded',
        'x-forwarded-for': `203.0.113.${address}`,
      },
      raw: exchangeForm(token, more),
    })
  const login = async (token: string): Promise<string> => {
    const answer = await exchange(token)
    expect(answer.status, answer.text).toBe(200)
    return answer.json<{ access_token: string }>().access_token
  }
  const as = (token: string, method: string, path: string, body?: unknown): Promise<Answer> => {
    const headers = { authorization: `Bearer ${token}` }
    return controller.call(method, path, body === undefined ? { headers } : { headers, body })
  }
  const admin = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const answer = await controller.call(method, path, body === undefined ? {} : { body })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer
  }
  const trust = (name: string, spec: object): Promise<Answer> =>
    admin('POST', '/api/v1/issuers', { name, audience, ...spec })
  const audited = async (action: string): Promise<string> =>
    (await admin('GET', `/api/v1/audit?action=${encodeURIComponent(action)}&limit=100`)).text

  beforeAll(async () => {
    database = await freshDatabase()
    github = await startCiIssuer()
    stranger = await startCiIssuer()
    const options = {
      databaseUrl: database.url,
      env: { STAGELY_EGRESS_ALLOW: '127.0.0.1' },
      argv: ['--failure-limit', '0', '--trust-proxy', '127.0.0.1'],
    }
    controller = await startTestController(options)
    const dataDir = await mkdtemp(join(tmpdir(), 'stagely-other-'))
    await writeFile(join(dataDir, 'admin-token'), controller.token, { mode: 0o600 })
    other = await startTestController({ ...options, dataDir })
    const environments = [
      { name: 'production', protected: true },
      { name: 'preview', inherits: 'Nothing', differs_from: ['production'] },
    ]
    await admin('POST', '/api/v1/projects', { name: 'shop', environments })
    await admin('POST', '/api/v1/projects', { name: 'bank' })
    await trust('github', {
      issuer: github.url,
      rules: [
        rule({ repository: 'acme/shop', ref: 'refs/heads/main' }),
        rule(
          { repository: 'acme/whole', ref: 'refs/heads/main' },
          { role: 'owner', projects: undefined, environments: undefined },
        ),
        rule(
          { repository: 'acme/live', environment: 'production' },
          { environments: ['production'] },
        ),
      ],
    })
  })
  afterAll(async () => {
    await Promise.all([controller.remove(), other.remove(), github.stop(), stranger.stop()])
    await database.drop()
  })

  it('gives a job of its rule a token that writes preview, and not production', async () => {
    const answer = await exchange(await github.sign(githubClaims))
    expect(answer.json()).toEqual({
      access_token: expect.stringMatching(/^smt_/) as string,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: expect.closeTo(600, -1) as number,
    })
    expect(answer.headers['cache-control']).toBe('no-store')
    const { access_token: token } = answer.json<{ access_token: string }>()
    const secret = (key: string, environment: string) => ({
      key,
      scope: 'global',
      value: 'x',
      environments: [environment],
    })
    const secrets = '/api/v1/projects/default%2Fshop/secrets'
    expect((await as(token, 'POST', secrets, secret('A', 'preview'))).status).toBe(201)
    expect((await as(token, 'POST', secrets, secret('B', 'production'))).status).toBe(403)
    expect((await as(token, 'GET', '/api/v1/projects/default%2Fbank')).status).toBe(404)
    for (const path of ['/api/v1/issuers', '/api/v1/teams/default/tokens', '/api/v1/audit'])
      expect((await as(token, 'GET', path)).status, path).toBe(403)
    const me = (await as(token, 'GET', '/api/v1/me')).text
    expect(me).toContain('preview')
    const rows = await audited('exchange token')
    expect(rows).toContain(github.url)
    for (const text of [
      '"subject":"repo:acme/shop:environment:production"',
      '"run":"30433642"',
      '"rule":0',
      '"trustedIssuer":"github"',
    ])
      expect(rows.replaceAll('\\"', '"')).toContain(text)
    expect(rows).not.toContain(token)
  })

  it('lets all jobs of a rule together try so many values as one login', async () => {
    const give = async (from: number, count: number): Promise<number> => {
      const token = await login(await github.sign(githubClaims))
      const operations = Array.from({ length: count }, (_, i) => ({
        op: 'create',
        key: `TRIED_${from + i}`,
        scope: 'global',
        value: `a-value-that-is-tried-${from + i}`,
        environments: ['preview'],
      }))
      const path = '/api/v1/projects/default%2Fshop/secrets/batch'
      return (await as(token, 'POST', path, { operations })).status
    }
    // Each of two controllers gives its part of the 1,000.
    const statuses: number[] = []
    for (let from = 0; from <= 1_000; from += 250) statuses.push(await give(from, 250))
    expect(new Set(statuses)).toEqual(new Set([200, 429]))
  })

  it('gives a job with the role of an owner nothing of what belongs to the team', async () => {
    const token = await login(await github.sign({ ...githubClaims, repository: 'acme/whole' }))
    expect((await as(token, 'GET', '/api/v1/projects/default%2Fbank')).status).toBe(200)
    const more = {
      name: 'mine',
      audience,
      issuer: github.url,
      rules: [rule({ repository: 'evil/x' })],
    }
    for (const [method, path, body] of [
      ['POST', '/api/v1/teams/default/tokens', { name: 'for-ever', role: 'owner' }],
      ['POST', '/api/v1/issuers', more],
      [
        'POST',
        `${group}/trustedissuers`,
        {
          apiVersion: 'stagely.dev/v1alpha1',
          kind: 'TrustedIssuer',
          metadata: { name: 'mine' },
          spec: more,
        },
      ],
      ['PATCH', '/api/v1/issuers/default%2Fgithub', { audience: 'mine' }],
      ['DELETE', '/api/v1/issuers/default%2Fgithub', undefined],
      ['PUT', '/api/v1/teams/default/members/admin', { role: 'owner' }],
      ['POST', '/api/v1/agents', { name: 'box' }],
      ['POST', '/api/v1/session/codes', undefined],
    ] as const)
      expect((await as(token, method, path, body)).status, `${method} ${path}`).toBe(403)
  })

  it('lets nobody but owners write rules', async () => {
    for (const role of ['maintainer', 'developer', 'deployer', 'operator', 'viewer', 'auditor']) {
      const made = await admin('POST', '/api/v1/teams/default/tokens', { name: role, role })
      const { token } = made.json<{ token: string }>()
      const body = {
        name: 'mine',
        audience,
        issuer: github.url,
        rules: [rule({ repository: 'evil/x' })],
      }
      expect((await as(token, 'POST', '/api/v1/issuers', body)).status, role).toBe(403)
      expect((await as(token, 'GET', '/api/v1/issuers')).status, role).toBe(200)
    }
  })

  it('vouches for jobs of GitLab, Forgejo and Kubernetes by what they document', async () => {
    const services = [
      ['gitlab', gitlabClaims, { project_path: 'acme/shop', ref: 'main', ref_protected: 'true' }],
      ['forgejo', forgejoClaims, { repository: 'acme/shop', ref: 'refs/heads/main' }],
      [
        'kubernetes',
        kubernetesClaims,
        { 'kubernetes.io/namespace': 'ci', 'kubernetes.io/serviceaccount/name': 'deployer' },
      ],
    ] as const
    for (const [name, claims, wanted] of services) {
      const issuer = await startCiIssuer('ES256')
      // A cluster shows its keys to nobody outside of it.
      const jwks =
        name === 'kubernetes' ? { jwks: JSON.stringify({ keys: issuer.publicKeys }) } : {}
      await trust(name, { issuer: issuer.url, rules: [rule(wanted)], ...jwks })
      expect((await exchange(await issuer.sign(claims))).status, name).toBe(200)
      expect(issuer.asked.length).toBe(name === 'kubernetes' ? 0 : 2)
      await issuer.stop()
    }
  })

  it('takes each token once, at whatever replica', async () => {
    const token = await github.sign(githubClaims)
    const answers = await Promise.all(
      [controller, other, controller, other].map((at) => exchange(token, {}, at)),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400])
    const refused = answers.find(({ status }) => status === 400)!
    expect(refused.json()).toMatchObject({
      error: 'invalid_request',
      error_description: expect.stringContaining('exchanged before') as string,
    })
    const bare = await github.sign({ ...githubClaims, jti: undefined })
    expect((await exchange(bare)).status).toBe(200)
    expect((await exchange(bare, {}, other)).status).toBe(400)
  })

  it('ends its tokens when it is changed or deleted, at each replica', async () => {
    const issuer = await startCiIssuer()
    const spec = { issuer: issuer.url, rules: [rule({ repository: 'acme/shop' })] }
    const works = async (token: string): Promise<number[]> =>
      Promise.all(
        [controller, other].map(async (at) => {
          const headers = { authorization: `Bearer ${token}` }
          return (await at.call('GET', '/api/v1/me', { headers })).status
        }),
      )
    await trust('brief', spec)
    const first = await login(await issuer.sign(githubClaims))
    expect(await works(first)).toEqual([200, 200])
    await admin('PATCH', '/api/v1/issuers/default%2Fbrief', {
      rules: [rule({ repository: 'acme/shop', ref: 'refs/heads/main' })],
    })
    await passes(async () => expect(await works(first)).toEqual([401, 401]))
    const second = await login(await issuer.sign(githubClaims))
    expect(await works(second)).toEqual([200, 200])
    await admin('DELETE', '/api/v1/issuers/default%2Fbrief')
    await passes(async () => expect(await works(second)).toEqual([401, 401]))
    await issuer.stop()
  })

  it('leaves nothing of what has ended', async () => {
    await login(await github.sign(githubClaims))
    const opened = await openStoreOf(controller, database.url)
    const left = async (): Promise<number[]> =>
      Promise.all(
        ['tokens WHERE issuer_uid IS NOT NULL', 'exchanged_identities'].map(async (rows) => {
          const found = await opened.sql.query<{ count: number }>(
            `SELECT count(*)::int AS count FROM ${rows}`,
          )
          return found[0]!.count
        }),
      )
    expect(Math.min(...(await left()))).toBeGreaterThan(0)
    await opened.store.compact(Date.now() + 2 * 3_600_000)
    expect(await left()).toEqual([0, 0])
    await opened.close()
  })

  it('refuses a pull request from a fork, and one where the rule is of a branch', async () => {
    const fork = {
      ...pullRequestClaims,
      repository: 'evil/shop',
      repository_owner: 'evil',
      ref: 'refs/heads/main',
    }
    for (const claims of [pullRequestClaims, fork]) {
      const { status, text } = await exchange(await github.sign(claims))
      expect(status).toBe(400)
      expect(text).toContain('no rule')
      // A stranger learns no rule.
      expect(text).not.toContain('acme/shop')
    }
    expect(await audited('deny')).toMatch(/claim repository is .{1,4}evil\/shop/)
  })

  it.each([
    ['a rule without a claim', { claims: {} }, 'at least one claim'],
    [
      'a claim that is checked in any case',
      { claims: { aud: 'x', repository: 'a/b' } },
      'checked of each token',
    ],
    ['a name that goes on', { claims: { repository: 'acme/shop*' } }, 'acme/shop-evil'],
    ['a star in the middle', { claims: { repository: 'acme/*/x' } }, 'its beginning'],
    ['a star alone', { claims: { repository: '*' } }, 'its beginning'],
    ['more than an hour', { ttl: '61m' }, '60m'],
  ])('is refused with %s', async (_, more, message) => {
    const body = {
      name: 'bad',
      audience,
      issuer: github.url,
      rules: [rule({ repository: 'a/b' }, more)],
    }
    const { status, text } = await controller.call('POST', '/api/v1/issuers', { body })
    expect(status, text).toBe(422)
    expect(text).toContain(message)
  })

  it.each([
    ['https://token.actions.githubusercontent.com', { sub: 'repo:acme/shop:ref:refs/heads/main' }],
    ['https://token.actions.githubusercontent.com', { ref: 'refs/heads/main' }],
    ['https://gitlab.com', { sub: 'project_path:acme/shop:ref_type:branch:ref:main' }],
  ])('of %s refuses a rule that does not say whose a job is: %j', async (issuer, claims) => {
    const body = { name: 'bad', audience, issuer, rules: [rule(claims)] }
    const { status, text } = await controller.call('POST', '/api/v1/issuers', { body })
    expect(status, text).toBe(422)
    expect(text).toContain('sub alone')
  })

  /** What each attack is told, and what the audit log says of it. */
  const isRefused = async (
    token: string,
    { told, noted, more = {} }: { told: RegExp; noted: RegExp; more?: Record<string, string> },
  ): Promise<void> => {
    // Rows of one address are bounded.
    address += 1
    const answer = await exchange(token, more)
    expect(answer.text).not.toContain('access_token')
    expect(answer.json<{ error_description: string }>().error_description).toMatch(told)
    expect([400, 503]).toContain(answer.status)
    const rows = await audited('deny')
    expect(rows).toMatch(noted)
    expect(rows).not.toContain(token.slice(0, 200))
    expect(rows).not.toContain(token.slice(-40))
  }

  describe('an attacker', () => {
    const now = (): number => Math.floor(Date.now() / 1_000)
    const attacks: Record<string, { token: () => Promise<string>; told: RegExp; noted: RegExp }> = {
      'for another audience': {
        token: () => github.sign({ ...githubClaims, aud: 'https://other.test' }),
        told: /no TrustedIssuer of this team/,
        noted: /the audience is of no TrustedIssuer/,
      },
      'for two audiences': {
        token: () => github.sign({ ...githubClaims, aud: [audience, 'https://other.test'] }),
        told: /no TrustedIssuer of this team/,
        noted: /the audience is of no TrustedIssuer/,
      },
      'of an issuer that nobody trusts': {
        token: () => stranger.sign(githubClaims),
        told: /no TrustedIssuer of this team/,
        noted: /the issuer is of no TrustedIssuer/,
      },
      'of another issuer with the same kid, in the name of ours': {
        token: () => stranger.sign({ ...githubClaims, iss: github.url }),
        told: /signature/,
        noted: /Signature/,
      },
      'that has expired': {
        token: () =>
          github.sign({ ...githubClaims, iat: now() - 600, nbf: now() - 600, exp: now() - 61 }),
        told: /expired/,
        noted: /Time: the token has expired/,
      },
      'that is not valid yet': {
        token: () => github.sign({ ...githubClaims, nbf: now() + 120 }),
        told: /not valid yet/,
        noted: /Time: the token is not valid yet/,
      },
      'from the future': {
        token: () => github.sign({ ...githubClaims, iat: now() + 120, exp: now() + 400 }),
        told: /not valid yet/,
        noted: /Time: the token is not valid yet/,
      },
      'for a year': {
        token: () => github.sign({ ...githubClaims, exp: now() + 31_536_000 }),
        told: /longer than a day/,
        noted: /longer than a day/,
      },
      'without an end': {
        token: () => github.sign({ ...githubClaims, exp: undefined }),
        told: /claim exp/,
        noted: /claim exp/,
      },
      'without a subject': {
        token: () => github.sign({ ...githubClaims, sub: undefined }),
        told: /claim sub/,
        noted: /claim sub/,
      },
      'that nobody signed (alg: none)': {
        token: async () => {
          const [, payload = ''] = (await github.sign(githubClaims)).split('.')
          return `${Buffer.from('{"alg":"none","kid":"key-1"}').toString('base64url')}.${payload}.`
        },
        told: /does not list/,
        noted: /Algorithm/,
      },
      'that is signed by the public key (HS256)': {
        token: () =>
          github.sign(githubClaims, {
            alg: 'HS256',
            key: Buffer.from(JSON.stringify(github.publicKeys[0])),
          }),
        told: /does not list/,
        noted: /Algorithm/,
      },
      'that is signed in another way than listed (RS512)': {
        token: async () => {
          const { privateKey: key } = await generateKeyPair('RS512')
          return github.sign(githubClaims, { alg: 'RS512', key })
        },
        told: /does not list/,
        noted: /Algorithm/,
      },
      'whose claims were changed': {
        token: async () => {
          const [header = '', payload = '', signature = ''] = (
            await github.sign({ ...githubClaims, repository: 'evil/shop' })
          ).split('.')
          const claims = Buffer.from(payload, 'base64url')
            .toString()
            .replace('evil/shop', 'acme/shop')
          return [header, Buffer.from(claims).toString('base64url'), signature].join('.')
        },
        told: /signature/,
        noted: /Signature/,
      },
      'whose repository begins as ours': {
        token: () => github.sign({ ...githubClaims, repository: 'acme/shop-evil' }),
        told: /no rule/,
        noted: /claim repository is .{1,4}acme\/shop-evil/,
      },
      'whose repository is the beginning of ours': {
        token: () => github.sign({ ...githubClaims, repository: 'acme/sho' }),
        told: /no rule/,
        noted: /claim repository is .{1,4}acme\/sho.{1,4}, not/,
      },
      'whose repository is in other letters': {
        token: () => github.sign({ ...githubClaims, repository: 'Acme/Shop' }),
        told: /no rule/,
        noted: /claim repository is .{1,4}Acme\/Shop/,
      },
      'without the claim of the rule': {
        token: () => github.sign({ ...githubClaims, ref: undefined }),
        told: /no rule/,
        noted: /claim ref is missing/,
      },
      'with a list of repositories': {
        token: () => github.sign({ ...githubClaims, repository: ['acme/shop', 'evil/shop'] }),
        told: /no rule/,
        noted: /claim repository is no text/,
      },
      'whose subject is a number': {
        token: () => github.sign({ ...githubClaims, sub: 5 }),
        told: /./,
        noted: /claim sub is no text/,
      },
      'with a claim of the prototype': {
        token: () =>
          github.sign({
            sub: 'x',
            ref: 'refs/heads/main',
            __proto__x: { repository: 'acme/shop' },
          }),
        told: /no rule/,
        noted: /claim repository is missing/,
      },
      'that is huge': {
        token: () => github.sign({ ...githubClaims, more: 'x'.repeat(16_000) }),
        told: /longer than 16384 letters/,
        noted: /Malformed: subject_token is longer/,
      },
      'that is none': {
        token: () => Promise.resolve('smt_abc'),
        told: /no JWT/,
        noted: /Malformed/,
      },
    }
    it.each(Object.keys(attacks))('gets nothing for a token %s', async (name) => {
      const { token, ...expected } = attacks[name]!
      await isRefused(await token(), expected)
    })

    it('gets nothing for a request that asks for more, or is not of the protocol', async () => {
      const token = await github.sign(githubClaims)
      for (const [more, error] of [
        [{ grant_type: 'client_credentials' }, 'unsupported_grant_type'],
        [{ subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }, 'invalid_request'],
        [
          { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
          'invalid_request',
        ],
        [{ actor_token: token }, 'invalid_request'],
        [{ scope: 'owner' }, 'invalid_scope'],
        [{ resource: 'https://x.test' }, 'invalid_target'],
        [{ audience: '' }, 'invalid_request'],
        [{ audience: 'no-such-team' }, 'invalid_target'],
        [{ audience: 'default/../x' }, 'invalid_target'],
        [{ subject_token: '' }, 'invalid_request'],
      ] as const) {
        const answer = await exchange(token, more)
        expect([answer.status, answer.json()['error']], JSON.stringify(more)).toEqual([400, error])
      }
      const twice = {
        headers: { authorization: '', 'content-type': 'application/x-www-form-urlencoded' },
        raw: `${exchangeForm(token)}&audience=other`,
      }
      expect((await controller.call('POST', '/auth/exchange', twice)).status).toBe(400)
      const json = { headers: { authorization: '' }, body: { subject_token: token } }
      expect((await controller.call('POST', '/auth/exchange', json)).status).toBe(400)
      const big = { ...twice, raw: exchangeForm(token, { x: 'x'.repeat(30_000) }) }
      expect((await controller.call('POST', '/auth/exchange', big)).status).toBe(413)
      // None of them has used the token up.
      expect((await exchange(token)).status).toBe(200)
    })

    it('learns of no team whether it is there', async () => {
      await admin('POST', '/api/v1/teams', { name: 'quiet' })
      const token = await github.sign(githubClaims)
      const [there, nowhere] = [
        await exchange(token, { audience: 'quiet' }),
        await exchange(token, { audience: 'nowhere' }),
      ]
      expect(there.text).toBe(nowhere.text)
    })
  })

  it.each(Object.keys(spoiltKeys))('whose keys %s vouches for nobody', async (name) => {
    const issuer = await startCiIssuer()
    const { spoil, noted } = spoiltKeys[name]!
    spoil(issuer)
    await trust(`spoilt-${Object.keys(spoiltKeys).indexOf(name)}`, {
      issuer: issuer.url,
      rules: [rule({ repository: 'acme/shop' })],
    })
    const token = await issuer.sign(githubClaims)
    await isRefused(token, { told: /keys of the issuer cannot be read/, noted })
    // Nobody has the controller ask again and again.
    const asked = issuer.asked.length
    expect((await exchange(token)).status).toBe(503)
    expect(issuer.asked).toHaveLength(asked)
    await issuer.stop()
  })
})
