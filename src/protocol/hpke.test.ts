import type { webcrypto } from 'node:crypto'
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { describe, expect, test } from 'vitest'
import { createOpener, createSealer } from './hpke.ts'
import { generateKeys, publicKeyFromRaw, type KeyPair } from './keys.ts'

const oracle = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
})
const info = Buffer.from('info')
const aad = Buffer.from('aad')
const bytes = (b: Buffer): ArrayBuffer => new Uint8Array(b).buffer
const oracleKeys = async (pair: KeyPair): Promise<webcrypto.CryptoKeyPair> => ({
  privateKey: (await oracle.kem.importKey(
    'raw',
    bytes(Buffer.from(pair.privateKey.export({ format: 'jwk' }).d!, 'base64url')),
    false,
  )) as webcrypto.CryptoKey,
  publicKey: (await oracle.kem.importKey(
    'raw',
    bytes(pair.publicKey),
    true,
  )) as webcrypto.CryptoKey,
})
const publicOf = (pair: KeyPair) => publicKeyFromRaw('X25519', pair.publicKey)

describe.each(['base', 'auth'] as const)('HPKE in %s mode', (mode) => {
  const recipient = generateKeys('X25519')
  const sender = generateKeys('X25519')
  const withSender = <T>(value: T): { sender?: T } => (mode === 'auth' ? { sender: value } : {})

  test('the library opens what we seal, message after message', async () => {
    const sealer = createSealer({ recipient: publicOf(recipient), info, ...withSender(sender) })
    const opener = await oracle.createRecipientContext({
      recipientKey: await oracleKeys(recipient),
      enc: bytes(sealer.enc),
      info: bytes(info),
      ...(mode === 'auth' ? { senderPublicKey: (await oracleKeys(sender)).publicKey } : {}),
    })
    for (let i = 0; i < 300; i++) {
      const sealed = sealer.seal(aad, Buffer.from(`message ${i}`))
      const opened = await opener.open(bytes(sealed), bytes(aad))
      expect(Buffer.from(opened).toString()).toBe(`message ${i}`)
    }
  })

  test('we open what the library seals, message after message', async () => {
    const sealer = await oracle.createSenderContext({
      recipientPublicKey: (await oracleKeys(recipient)).publicKey,
      info: bytes(info),
      ...(mode === 'auth' ? { senderKey: await oracleKeys(sender) } : {}),
    })
    const enc = Buffer.from(sealer.enc)
    const opener = createOpener({ recipient, enc, info, ...withSender(sender.publicKey) })
    for (let i = 0; i < 300; i++) {
      const sealed = await sealer.seal(bytes(Buffer.from(`message ${i}`)), bytes(aad))
      expect(opener.open(aad, Buffer.from(sealed)).toString()).toBe(`message ${i}`)
    }
  })

  test('exports the keys that the library exports, at both ends', async () => {
    const sealer = createSealer({ recipient: publicOf(recipient), info, ...withSender(sender) })
    const { enc } = sealer
    const opener = createOpener({ recipient, enc, info, ...withSender(sender.publicKey) })
    const theirs = await oracle.createRecipientContext({
      recipientKey: await oracleKeys(recipient),
      enc: bytes(enc),
      info: bytes(info),
      ...(mode === 'auth' ? { senderPublicKey: (await oracleKeys(sender)).publicKey } : {}),
    })
    for (const label of ['mac', 'answer']) {
      const key = sealer.exportKey(label)
      expect(opener.exportKey(label)).toEqual(key)
      expect(Buffer.from(await theirs.export(bytes(Buffer.from(label)), 32))).toEqual(key)
    }
    expect(sealer.exportKey('mac')).not.toEqual(sealer.exportKey('answer'))
  })

  test('any flipped byte, another aad, another info, another key is refused', () => {
    const sealer = createSealer({ recipient: publicOf(recipient), info, ...withSender(sender) })
    const sealed = sealer.seal(aad, Buffer.from('secret'))
    const enc = sealer.enc
    const opener = createOpener({ recipient, enc, info, ...withSender(sender.publicKey) })
    for (let i = 0; i < sealed.length; i++) {
      const changed = Buffer.from(sealed)
      changed[i] = changed[i]! ^ 1
      expect(() => opener.open(aad, changed)).toThrow(/does not open/)
    }
    expect(() => opener.open(Buffer.from('other'), sealed)).toThrow(/does not open/)
    expect(() => opener.open(aad, sealed.subarray(0, 9))).toThrow(/cut off/)
    const others = [
      createOpener({ recipient, enc, info: empty, ...withSender(sender.publicKey) }),
      createOpener({ recipient: sender, enc, info, ...withSender(recipient.publicKey) }),
      createOpener({ recipient, enc: recipient.publicKey, info, ...withSender(sender.publicKey) }),
    ]
    for (const other of others) expect(() => other.open(aad, sealed)).toThrow(/does not open/)
    expect(opener.open(aad, sealed).toString()).toBe('secret')
  })

  test('a replayed, skipped or swapped message is refused', () => {
    const sealer = createSealer({ recipient: publicOf(recipient), info, ...withSender(sender) })
    const [first, second] = [sealer.seal(aad, Buffer.from('1')), sealer.seal(aad, Buffer.from('2'))]
    const opener = createOpener({
      recipient,
      enc: sealer.enc,
      info,
      ...withSender(sender.publicKey),
    })
    expect(() => opener.open(aad, second)).toThrow()
    expect(opener.open(aad, first).toString()).toBe('1')
    expect(() => opener.open(aad, first)).toThrow()
    expect(opener.open(aad, second).toString()).toBe('2')
  })
})

const empty = Buffer.alloc(0)

test('auth mode: an impostor without the sender’s key makes nothing that opens', () => {
  const [recipient, sender, impostor] = [1, 2, 3].map(() => generateKeys('X25519')) as [
    KeyPair,
    KeyPair,
    KeyPair,
  ]
  const forged = [
    createSealer({ recipient: publicOf(recipient), info }),
    createSealer({ recipient: publicOf(recipient), info, sender: impostor }),
    // It knows the sender's public half, as everybody does.
    createSealer({
      recipient: publicOf(recipient),
      info,
      sender: { privateKey: impostor.privateKey, publicKey: sender.publicKey },
    }),
  ]
  for (const sealer of forged) {
    const sealed = sealer.seal(aad, Buffer.from('false'))
    const opener = createOpener({ recipient, enc: sealer.enc, info, sender: sender.publicKey })
    expect(() => opener.open(aad, sealed)).toThrow(/does not open/)
  }
})

test('a low-order key is refused', () => {
  const recipient = generateKeys('X25519')
  expect(() => createOpener({ recipient, enc: Buffer.alloc(32), info })).toThrow(/not usable/)
  expect(() => createOpener({ recipient, enc: Buffer.alloc(31), info })).toThrow(/32 bytes/)
})
