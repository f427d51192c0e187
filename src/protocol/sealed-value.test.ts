import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SealedPlace } from '../secrets/sealed-place.ts'
import { generateKeys } from './keys.ts'
import {
  openSealedValue,
  parseSealingFile,
  parseSealingKey,
  renderSealingFile,
  renderSealingKey,
  sealValue,
} from './sealed-value.ts'

const keys = generateKeys('X25519')
const place: fc.Arbitrary<SealedPlace> = fc.record({
  namespace: fc.string(),
  namespaceUid: fc.option(fc.uuid(), { nil: undefined }),
  project: fc.string(),
  key: fc.string(),
  scope: fc.string(),
  stagelet: fc.option(fc.string(), { nil: undefined }),
})
const value = fc.uint8Array({ maxLength: 300 }).map((a) => Buffer.from(a))

describe('a sealed value', () => {
  it('opens where it was sealed for, with the public key as text', () => {
    fc.assert(
      fc.property(place, value, (where, bytes) => {
        const key = parseSealingKey(`${renderSealingKey(keys.publicKey)}\n`)
        const sealed = sealValue(key, where, bytes)
        expect(openSealedValue(keys, where, sealed)?.equals(bytes)).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  it('opens in no other place, whichever of its parts differs', () => {
    fc.assert(
      fc.property(place, place, value, (a, b, bytes) => {
        const sealed = sealValue(keys.publicKey, a, bytes)
        for (const field of ['namespace', 'project', 'key', 'scope', 'stagelet'] as const) {
          if (a[field] === b[field]) continue
          expect(openSealedValue(keys, { ...a, [field]: b[field] }, sealed)).toBeUndefined()
        }
        const other = { ...a, namespaceUid: b.namespaceUid ?? 'another' }
        const isBound = a.namespaceUid !== undefined && other.namespaceUid !== a.namespaceUid
        if (isBound) expect(openSealedValue(keys, other, sealed)).toBeUndefined()
        const shifted = { ...a, project: `${a.project}${a.key}`, key: '' }
        if (a.key !== '') expect(openSealedValue(keys, shifted, sealed)).toBeUndefined()
      }),
      { numRuns: 30 },
    )
  })

  it('opens for no other key, and not with any character changed', () => {
    const where = { namespace: 'n', project: 'p', key: 'K', scope: 'global' }
    const sealed = sealValue(keys.publicKey, where, Buffer.from('value'))
    expect(openSealedValue(generateKeys('X25519'), where, sealed)).toBeUndefined()
    for (let i = 0; i < sealed.length; i++) {
      const changed = `${sealed.slice(0, i)}${sealed[i] === 'A' ? 'B' : 'A'}${sealed.slice(i + 1)}`
      expect(openSealedValue(keys, where, changed)).toBeUndefined()
    }
  })

  it('is never sealed the same way twice', () => {
    const where = { namespace: 'n', project: 'p', key: 'K', scope: 'global' }
    const seal = (): string => sealValue(keys.publicKey, where, Buffer.from('value'))
    expect(seal()).not.toBe(seal())
  })

  it('for a namespace by its uid is none for its name alone, and the other way round', () => {
    const names = { namespace: 'n', project: 'p', key: 'K', scope: 'global' }
    const where = { ...names, namespaceUid: 'u-1' }
    const bound = sealValue(keys.publicKey, where, Buffer.from('value'))
    const byName = sealValue(keys.publicKey, names, Buffer.from('value'))
    expect(openSealedValue(keys, where, byName)?.toString()).toBe('value')
    expect(openSealedValue(keys, names, bound)).toBeUndefined()
    for (const text of [bound.replace('hpke2', 'hpke1'), byName.replace('hpke1', 'hpke2')])
      expect(openSealedValue(keys, where, text)).toBeUndefined()
  })

  it('is made far away with a file of the key and of the namespaces', () => {
    const key = renderSealingKey(keys.publicKey)
    const uids = new Map([
      ['team-a', 'u-1'],
      ['team-b', 'u-2'],
    ])
    const file = parseSealingFile(`${renderSealingFile({ publicKey: keys.publicKey, uids })}\r\n`)
    expect(file.publicKey.equals(keys.publicKey)).toBe(true)
    expect(file.uids).toEqual(uids)
    expect(parseSealingFile(key).uids.size).toBe(0)
    expect(() => parseSealingFile(`${key}\nwhat`)).toThrow(/no sealing key/)
  })

  it('refuses a text that is no public key', () => {
    expect(() => parseSealingKey('hello')).toThrow(/no sealing key/)
    expect(() => parseSealingKey('stagely-sealing-key:AAAA')).toThrow(/no sealing key/)
  })
})
