import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../kernel/canonical-json.ts'
import { createSigner, nodeCrypto } from './chain.ts'
import { receiptWords } from './receipt.ts'
import type { SignedReceipt } from './receipt-schema.ts'
import { kindOfReport, reportFault } from './signed-report.ts'

const newSigner = () =>
  createSigner(generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }))
const signer = newSigner()
const point = { seq: 7, hash: 'h' }
const receipt: SignedReceipt['receipt'] = {
  team: 'default',
  project: 'shop',
  revision: 4,
  closed_at: '2026-01-31T10:00:00Z',
  by: ['ann'],
  note: 'rotate',
  written: 1,
  deleted: 0,
  keys: ['URL'],
  stagelets: [{ id: 'stl_1', name: 'prod', state: 'running', since: '2026-01-31T10:00:04Z' }],
  issued_at: '2026-01-31T11:00:00Z',
  head: {
    type: 'head',
    ...point,
    public_key: signer.publicKey,
    signature: signer.sign('head', point),
  },
}
const signed = (by = signer): SignedReceipt => ({
  receipt,
  signature: by.signReport('receipt', canonicalJson(receipt)),
  public_key: by.publicKey,
})

describe('a receipt', () => {
  it('holds as it was signed, and says in words who changed what', async () => {
    expect(await reportFault(nodeCrypto, signed(), signer.publicKey)).toBeUndefined()
    expect(receiptWords(signed())).toEqual([
      'Revision 4 of default/shop was made by ann at 2026-01-31T10:00:00Z. "rotate"',
      'It changed 1 key: URL.',
      'prod: running since 2026-01-31T10:00:04Z.',
      'Issued at 2026-01-31T11:00:00Z, when the audit log had 7 rows.',
    ])
  })

  it('does not hold with another word, by another key, or with the head of another log', async () => {
    const changed = { ...signed(), receipt: { ...receipt, by: ['bob'] } }
    expect(await reportFault(nodeCrypto, changed)).toBe('its text is not what was signed')
    const other = newSigner()
    expect(await reportFault(nodeCrypto, signed(), other.publicKey)).toContain('another key')
    expect(await reportFault(nodeCrypto, signed(other))).toContain('head of the audit log')
    expect(await reportFault(nodeCrypto, { ...signed(), signature: '' })).toBeDefined()
  })

  it('is known by its one document: a file with none, or with two, is no report', async () => {
    expect(kindOfReport(signed())).toBe('receipt')
    for (const file of [undefined, null, [], {}, { receipt: 1 }, { ...signed(), access: receipt }])
      expect(await reportFault(nodeCrypto, file)).toBe('it is no report of Stagely')
  })
})
