import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../kernel/canonical-json.ts'
import { createSigner, nodeCrypto } from './chain.ts'
import { complianceWords, type SignedCompliance } from './compliance.ts'
import { reportFault } from './signed-report.ts'

const newSigner = () =>
  createSigner(generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }))
const signer = newSigner()
const point = { seq: 7, hash: 'h' }
const report: SignedCompliance['report'] = {
  team: 'pay',
  project: 'cards',
  since: '2025-07-01T00:00:00Z',
  issued_at: '2026-07-01T00:00:00Z',
  rules: {
    max_age: '90d',
    exempt: ['PUBLIC_URL'],
    key_rotation: '90d',
    key_rotation_enforced: true,
    sealing_key_rotation: '365d',
    rotation: 'auto',
  },
  keys: [
    {
      kind: 'data',
      name: 'k1',
      since: '2026-01-01T00:00:00Z',
      by: 'controller',
      until: '2026-04-11T00:00:00Z',
      overdue_from: '2026-04-01T00:00:00Z',
      overdue_days: 10,
    },
  ],
  secrets: [
    {
      name: 'token',
      key: 'TOKEN',
      scope: 'global',
      exempt: false,
      values: [
        {
          version: 3,
          since: '2026-01-01T00:00:00Z',
          by: 'ann',
          overdue_from: '2026-04-01T00:00:00Z',
          overdue_days: 91,
        },
      ],
    },
    { name: 'url', key: 'PUBLIC_URL', scope: 'global', exempt: true, values: [{ version: 1 }] },
  ],
  rotations: [{ at: '2026-04-11T00:00:00Z', by: 'ann', what: 'rotate keys (Keys)' }],
  head: {
    type: 'head',
    ...point,
    public_key: signer.publicKey,
    signature: signer.sign('head', point),
  },
}
const signedBy = (by = signer): SignedCompliance => ({
  report,
  signature: by.signReport('compliance', canonicalJson(report)),
  public_key: by.publicKey,
})
const faultOf = async (text: string): Promise<string | undefined> => {
  try {
    return await reportFault(nodeCrypto, JSON.parse(text), signer.publicKey)
  } catch {
    return 'not a report'
  }
}

describe('a report for auditors', () => {
  it('holds as it was signed, and says in words what was overdue, the longest first', async () => {
    expect(await faultOf(JSON.stringify(signedBy(), null, 2))).toBeUndefined()
    expect(complianceWords(signedBy())).toEqual([
      'Project pay/cards, 2025-07-01T00:00:00Z to 2026-07-01T00:00:00Z.',
      'Rules of now: keys 90d, enforced; values 90d.',
      '1 key; 2 values of 2 secrets; 1 row about rotations.',
      'Exempt: url.',
      '2 lifetimes overdue, 1 of them now:',
      '  secret token version 3: from 2026-04-01T00:00:00Z, 91 days, still.',
      '  data key k1: from 2026-04-01T00:00:00Z, 10 days.',
      'Issued when the audit log had 7 rows.',
    ])
  })

  it('does not hold with any one byte edited', async () => {
    const text = JSON.stringify(signedBy())
    const held: string[] = []
    for (let index = 0; index < text.length; index++) {
      const edited =
        text.slice(0, index) + (text[index] === '1' ? '2' : '1') + text.slice(index + 1)
      if ((await faultOf(edited)) === undefined) held.push(edited)
    }
    expect(held).toEqual([])
  })

  it('does not hold with another last letter of its signature that stands for the same bytes', async () => {
    const { signature, ...rest } = signedBy()
    const twins = Array.from('ABQRghwx', (letter) => ({
      ...rest,
      signature: signature.slice(0, -1) + letter,
    }))
    const held = await Promise.all(twins.map((twin) => reportFault(nodeCrypto, twin)))
    expect(held.filter((fault) => fault === undefined)).toHaveLength(1)
  })

  it('holds by no other key, and is no receipt', async () => {
    expect(await reportFault(nodeCrypto, signedBy(newSigner()))).toContain('head of the audit log')
    expect(await reportFault(nodeCrypto, signedBy(), newSigner().publicKey)).toContain(
      'another key',
    )
    const receipt = {
      ...signedBy(),
      signature: signer.signReport('receipt', canonicalJson(report)),
    }
    expect(await reportFault(nodeCrypto, receipt)).toBe('its text is not what was signed')
  })
})
