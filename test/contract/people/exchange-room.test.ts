// What jobs of a CI can take from each other: room for tokens, and the one use that each token has.
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import type { TestDatabase } from '../../support/databases/test-database.ts'
import { passes } from '../../support/eventually.ts'
import {
  audience,
  exchangeForm,
  githubClaims,
  startCiIssuer,
  type CiIssuer,
} from '../../support/http/ci-issuer.ts'
import {
  openStoreOf,
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'

const rule = (claims: object) => ({
  claims,
  role: 'deployer',
  projects: ['shop'],
  environments: ['preview'],
})

describe('a trusted issuer', () => {
  let database: TestDatabase
  let controller: TestController
  let issuer: CiIssuer

  const exchange = (token: string, more = {}): Promise<Answer> =>
    controller.call('POST', '/auth/exchange', {
      headers: { authorization: '', 'content-type': 'application/x-www-form-urlencoded' },
      raw: exchangeForm(token, more),
    })
  const admin = async (method: string, path: string, body: object): Promise<void> => {
    const answer = await controller.call(method, path, { body })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
  }

  beforeAll(async () => {
    database = await freshDatabase()
    issuer = await startCiIssuer()
    controller = await startTestController({
      databaseUrl: database.url,
      env: { STAGELY_EGRESS_ALLOW: '127.0.0.1' },
      argv: ['--failure-limit', '0'],
    })
    const environments = [{ name: 'production' }, { name: 'preview' }]
    await admin('POST', '/api/v1/projects', { name: 'shop', environments })
    await admin('POST', '/api/v1/issuers', {
      name: 'github',
      audience,
      issuer: issuer.url,
      rules: [rule({ repository: 'acme/shop' })],
    })
  })
  afterAll(async () => {
    await controller.remove()
    await issuer.stop()
    await database.drop()
  })

  it('has room for the jobs of a rule, however many come of another one, and once these have ended', async () => {
    const [low, high] = [rule({ repository: 'acme/low' }), rule({ repository: 'acme/high' })]
    const rules = [low, { ...high, environments: ['production'] }]
    await admin('POST', '/api/v1/issuers', { name: 'crowded', audience, issuer: issuer.url, rules })
    const ask = async (repository: string): Promise<number> =>
      (await exchange(await issuer.sign({ ...githubClaims, repository }))).status
    expect(await ask('acme/low')).toBe(200)
    const opened = await openStoreOf(controller, database.url)
    // As if the jobs of the first rule had come a thousand times.
    await opened.sql.query(
      `INSERT INTO tokens SELECT r.* FROM tokens t, generate_series(1, 1000) n,
         LATERAL json_populate_record(t, json_build_object('id', gen_random_uuid(),
           'hash', t.hash || n, 'name', t.name || n)) r
       WHERE t.name LIKE 'crowded.%'`,
    )
    await opened.close()
    expect(await ask('acme/low')).toBe(429)
    expect(await ask('acme/high')).toBe(200)
    // Whoever changes the rules has ended the tokens that were given by them.
    await admin('PATCH', '/api/v1/issuers/default%2Fcrowded', { rules: [low] })
    await passes(async () => (await ask('acme/low')) === 200)
  })

  it('counts a token of one team as used by that team alone, where another team’s own keys make it', async () => {
    const keys = await generateKeyPair('RS256', { extractable: true })
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'theirs', alg: 'RS256' }
    await admin('POST', '/api/v1/teams', { name: 'thieves' })
    await admin('POST', '/api/v1/projects', { team: 'thieves', name: 'shop' })
    await admin('POST', '/api/v1/issuers', {
      team: 'thieves',
      name: 'as-github',
      audience,
      issuer: issuer.url,
      jwks: JSON.stringify({ keys: [jwk] }),
      rules: [{ claims: { repository: 'acme/shop' }, role: 'viewer', projects: ['shop'] }],
    })
    const claims = { ...githubClaims, jti: 'an-id-that-is-guessed' }
    const forged = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: 'theirs' })
      .setIssuer(issuer.url)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(keys.privateKey)
    expect((await exchange(forged, { audience: 'thieves' })).status).toBe(200)
    expect((await exchange(forged)).status).toBe(400)
    const good = await issuer.sign(claims)
    expect((await exchange(good)).status).toBe(200)
    expect((await exchange(good)).status).toBe(400)
  })
})
