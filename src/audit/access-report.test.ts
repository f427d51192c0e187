import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../kernel/canonical-json.ts'
import { reportFault } from './signed-report.ts'
import { accessCsv, signedInCsv } from './access-csv.ts'
import { accessWords, signedAccess, type SignedAccess } from './access-report.ts'
import { createSigner, nodeCrypto } from './chain.ts'

const signer = createSigner(
  generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }),
)
const point = { seq: 9, hash: 'h' }
const access: SignedAccess['access'] = {
  team: 'pay',
  from: '2026-11-01T00:00:00Z',
  to: '2026-11-02T00:00:00Z',
  emergencies_only: false,
  issued_at: '2026-12-01T00:00:00Z',
  rows: [
    {
      row: 'policy',
      name: 'guard',
      projects: ['shop'],
      environments: ['production'],
      from: '2026-10-01T00:00:00Z',
      rules: '1 of owner approve',
      audit: ['2'],
    },
    {
      row: 'request',
      name: 'req-a',
      projects: ['shop'],
      by: '@sum',
      approved_by: ['olga', 'otto'],
      reason: '=HYPERLINK("http://x","go")\n"proof","base64url:e30"',
      secrets: ['db.global'],
      uses: 2,
      state: 'Ended',
      audit: ['3-5', '8'],
    },
    {
      row: 'emergency',
      name: 'req-b',
      projects: ['shop'],
      by: 'dev',
      from: '2026-11-01T03:00:00Z',
      uses: 0,
      review: 'due until 2026-11-04T03:00:00Z',
      audit: ['6'],
    },
    {
      row: 'overdue review',
      name: 'req-b',
      projects: ['shop'],
      from: '2026-11-04T03:00:00Z',
      audit: ['6'],
    },
  ],
  head: {
    type: 'head',
    ...point,
    public_key: signer.publicKey,
    signature: signer.sign('head', point),
  },
}
const signed: SignedAccess = {
  access,
  signature: signer.signReport('access', canonicalJson(access)),
  public_key: signer.publicKey,
}
/** As a verifier does, with the key that must have signed. */
const faultOf = async (text: string, isCsv: boolean): Promise<string | undefined> => {
  try {
    const file: unknown = isCsv ? signedInCsv(text) : JSON.parse(text)
    signedAccess.parse(file)
    if (isCsv && accessCsv(file as SignedAccess) !== text) return 'other rows'
    return await reportFault(nodeCrypto, file, signer.publicKey)
  } catch {
    return 'no report'
  }
}
const edits = (text: string): string[] =>
  Array.from(
    text,
    (letter, i) => text.slice(0, i) + (letter === '1' ? '2' : '1') + text.slice(i + 1),
  )

describe('a report on access', () => {
  it.each([
    ['JSON', JSON.stringify(signed), false],
    ['CSV', accessCsv(signed), true],
  ])('holds as it was signed, and with no byte of its %s edited', async (_, text, isCsv) => {
    expect(await faultOf(text, isCsv)).toBeUndefined()
    const held: string[] = []
    for (const edited of edits(text))
      if ((await faultOf(edited, isCsv)) === undefined) held.push(edited)
    expect(held).toEqual([])
  })

  it('holds with no row of its CSV left out, and is no receipt', async () => {
    const lines = accessCsv(signed).split('\n')
    for (let i = 0; i < lines.length; i++)
      expect(await faultOf(lines.toSpliced(i, 1).join('\n'), true)).toBeDefined()
    const receipt = { ...signed, signature: signer.signReport('receipt', canonicalJson(access)) }
    expect(await reportFault(nodeCrypto, receipt)).toBe('its text is not what was signed')
  })

  it('has no cell in its CSV that a spreadsheet takes for a formula, whatever people have written', () => {
    const cells = accessCsv(signed).match(/"(?:[^"]|"")*"/g)!
    expect(cells.filter((cell) => /^"[=+\-@\t\r\n]/.test(cell))).toEqual([])
    expect(cells).toContain(`"'@sum"`)
    expect(cells).toContain(`"'=HYPERLINK(""http://x"",""go"")\n""proof"",""base64url:e30"""`)
  })

  it('says in words what was so', () => {
    expect(accessWords(signed)).toEqual([
      'Access to values of team pay, 2026-11-01T00:00:00Z to 2026-11-02T00:00:00Z.',
      'Policies in force:',
      '  Policy guard of shop (only production); from 2026-10-01T00:00:00Z; 1 of owner approve; rows 2.',
      'Nobody could read without a request.',
      'Requests:',
      expect.stringMatching(/^ {2}req-a: @sum for shop; Ended; approved by olga, otto; 2 uses; "/),
      'Emergencies:',
      '  req-b: emergency of dev for shop; from 2026-11-01T03:00:00Z; 0 uses; review due until 2026-11-04T03:00:00Z; rows 6.',
      'Reviews that are overdue:',
      '  req-b: the review is overdue; from 2026-11-04T03:00:00Z.',
      'Issued at 2026-12-01T00:00:00Z, when the audit log had 9 rows.',
    ])
  })
})
