// The public keys of an issuer: when they are asked for, and what counts while they cannot be had.
import { jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { createEgress } from '../../../controller/egress/gate.ts'
import { parseRules } from '../../../controller/egress/rules.ts'
import { createIssuerKeys } from '../../../controller/trust/issuer-keys.ts'
import { trustedIssuerSpec } from '../../../src/kinds/trusted-issuer/schema.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { audience, githubClaims, startCiIssuer } from '../../support/http/ci-issuer.ts'

const openGate = {
  allow: parseRules('allow', '127.0.0.1', []),
  deny: [],
  own: () => [],
}

describe('the keys of an issuer', () => {
  const specOf = (issuer: string) =>
    trustedIssuerSpec.parse({
      issuer,
      audience,
      rules: [{ claims: { repository: 'acme/shop' }, role: 'deployer' }],
    })

  it('are read anew for an unknown one, once a minute, and after an hour', async () => {
    const issuer = await startCiIssuer()
    const clock = createFakeClock()
    const keys = createIssuerKeys({ egress: createEgress(openGate), clock })
    const verify = async (token: string): Promise<string> => {
      const done = await keys
        .use(specOf(issuer.url), (keySet) => jwtVerify(token, keySet))
        .catch((error: unknown) => error)
      return done instanceof Error ? done.name : 'good'
    }
    const reads = (): number => issuer.asked.filter((path) => path === '/jwks').length
    const first = await issuer.sign(githubClaims)
    expect(await Promise.all([verify(first), verify(first), verify(first)])).toEqual([
      'good',
      'good',
      'good',
    ])
    expect(reads()).toBe(1)
    await issuer.changeKey('key-2')
    const second = await issuer.sign(githubClaims)
    expect(await verify(second)).toBe('JWKSNoMatchingKey')
    expect(reads()).toBe(1)
    await clock.advance(60_000)
    expect(await Promise.all([verify(second), verify(second)])).toEqual(['good', 'good'])
    expect(reads()).toBe(2)
    expect(await verify(first)).toBe('JWKSNoMatchingKey')
    expect(reads()).toBe(2)
    // Unknown keys while the issuer is away take nothing from those that are known.
    issuer.answers.set('/jwks', (response) => response.writeHead(500).end())
    await clock.advance(60_000)
    expect([await verify(first), await verify(second)]).toEqual(['JWKSNoMatchingKey', 'good'])
    await clock.advance(3_600_000)
    expect(await verify(second)).toBe('IssuerFault')
    issuer.answers.clear()
    expect(await verify(second)).toBe('IssuerFault')
    await clock.advance(10_000)
    expect(await verify(second)).toBe('good')
    await issuer.stop()
  })

  it('that do not come whole in time are a fault', async () => {
    const issuer = await startCiIssuer()
    issuer.answers.set('/jwks', (response) => response.write('{'))
    const keys = createIssuerKeys({
      egress: createEgress({ ...openGate, mostMs: 50 }),
      clock: createFakeClock(),
    })
    const asked = keys.use(specOf(issuer.url), () => Promise.resolve('good'))
    await expect(asked).rejects.toThrow('did not answer whole within')
    await issuer.stop()
  })

  it('are those of its own certificates', async () => {
    const issuer = await startCiIssuer()
    const keys = createIssuerKeys({ egress: createEgress(openGate), clock: createFakeClock() })
    const used = (caBundle?: string) =>
      keys.use({ ...specOf(issuer.url), caBundle }, () => Promise.resolve('good'))
    await used()
    await used('-----BEGIN CERTIFICATE-----')
    expect(issuer.asked.filter((path) => path === '/jwks')).toHaveLength(2)
    await issuer.stop()
  })
})
