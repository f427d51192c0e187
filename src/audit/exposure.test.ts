import { generateKeyPairSync } from 'node:crypto'
import { expect, it } from 'vitest'
import { canonicalJson } from '../kernel/canonical-json.ts'
import { createSigner, nodeCrypto } from './chain.ts'
import { exposureWords, type SignedExposure } from './exposure.ts'
import { reportFault } from './signed-report.ts'
import { tryParseJson } from '../kernel/record.ts'

const signer = createSigner(
  generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }),
)
const point = { seq: 7, hash: 'h' }
const at = (hour: number): string => `2026-01-31T${String(hour).padStart(2, '0')}:00:00Z`
const document: SignedExposure['exposure'] = {
  team: 'default',
  project: 'shop',
  secret: 'stripe.web',
  key: 'STRIPE',
  scope: 'web',
  version: 7,
  valid_from: at(1),
  superseded_at: at(5),
  refused_since: at(7),
  holders: [
    {
      stagelet: 'prod',
      service: 'web',
      container: '3f2a9c41b7d0',
      from: { earliest: at(2), latest: at(2) },
      until: { earliest: at(5), latest: at(6) },
      certain: true,
    },
    {
      stagelet: 'test',
      service: 'web',
      from: { earliest: at(3), latest: at(3) },
      until: { earliest: at(4), latest: at(4) },
      certain: false,
    },
  ],
  known_from: at(1),
  unknown: [],
  lost_by: at(6),
  readers: [{ at: at(3), by: 'ann', way: 'export' }],
  issued_at: at(9),
  head: {
    type: 'head',
    ...point,
    public_key: signer.publicKey,
    signature: signer.sign('head', point),
  },
}
const signed: SignedExposure = {
  exposure: document,
  signature: signer.signReport('exposure', canonicalJson(document)),
  public_key: signer.publicKey,
}

it('holds as it was signed, and says in words what was measured and what was not', async () => {
  expect(await reportFault(nodeCrypto, signed, signer.publicKey)).toBeUndefined()
  expect(exposureWords(signed)).toEqual([
    `Version 7 of STRIPE (default/shop, web) is valid since ${at(1)}.`,
    `A newer version is valid since ${at(5)}.`,
    `Containers are known since ${at(1)}.`,
    `prod/web (container 3f2a9c41b7d0) held it from ${at(2)} until between ${at(5)} and ${at(6)}.`,
    `test/web may have held it (not measured) from ${at(3)} until ${at(4)}.`,
    `No container holds it since ${at(6)} at the latest.`,
    `It is refused since ${at(7)}.`,
    `Read by: ann at ${at(3)} (export).`,
    `Issued at ${at(9)}, when the audit log had 7 rows.`,
  ])
})

it('fails with one edited byte, wherever that is', async () => {
  const text = JSON.stringify(signed)
  let tried = 0
  for (let i = 0; i < text.length; i++) {
    if (!/[0-9a-z]/.test(text[i]!)) continue
    const edited = `${text.slice(0, i)}${text[i] === '1' ? '2' : '1'}${text.slice(i + 1)}`
    const parsed = tryParseJson(edited)
    if (parsed === undefined) continue
    tried += 1
    const fault = await reportFault(nodeCrypto, parsed, signer.publicKey)
    expect(fault, edited.slice(Math.max(0, i - 20), i + 20)).toBeDefined()
  }
  expect(tried).toBeGreaterThan(200)
})
