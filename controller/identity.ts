// The controller's identity: its CA, certificate, id, and the X25519 key that seals bundles. All of it
// is stored sealed in the database, so that it is the same on every replica and after every restart.
// The data folder only has a copy of the CA certificate.
import 'reflect-metadata'
import { createHash, createPrivateKey, randomBytes, randomUUID, webcrypto } from 'node:crypto'
import { hostname } from 'node:os'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'
import type { Clock } from '../src/kernel/clock.ts'
import { generateKeys, rawPublicKey, type KeyPair } from '../src/protocol/keys.ts'

/** Sealed key-value pairs in the database. */
export interface SealedSettings {
  getSealed(key: string): Promise<Buffer | undefined>
  /** Stores `bytes` unless the key exists; returns the stored value. */
  putSealedIfAbsent(key: string, bytes: Buffer): Promise<Buffer>
}

export interface ControllerIdentity {
  /** Audience of agents' requests. */
  readonly controllerId: string
  /** HPKE's auth mode uses it to prove to an agent that a bundle is from this controller. */
  readonly x25519: KeyPair
  readonly caPem: string
  /** SHA-256 of the CA certificate's DER in hex, as join tokens contain it. */
  readonly caFingerprint: string
  /** Leaf followed by the CA. */
  readonly chainPem: string
  readonly leafKeyPem: string
}

const day = 86_400_000
const clockSlack = 3_600_000
const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

interface CertificateAuthority {
  readonly certificate: x509.X509Certificate
  readonly key: webcrypto.CryptoKey
}

/**
 * Loads or creates the identity. The leaf certificate is made anew at every start and is valid for a
 * year.
 */
export const loadControllerIdentity = async (
  settings: SealedSettings,
  clock: Clock,
  names: readonly string[],
): Promise<ControllerIdentity> => {
  const controllerId = (
    await once(settings, 'controller-id', () => Buffer.from(randomUUID()))
  ).toString()
  const x25519Pkcs8 = await once(settings, 'controller-x25519', makeX25519)
  const privateKey = createPrivateKey({ key: x25519Pkcs8, format: 'der', type: 'pkcs8' })
  const ca = await loadCa(settings, clock)
  const leaf = await issueLeaf(ca, clock, names)
  const caPem = ca.certificate.toString('pem')
  return {
    controllerId,
    x25519: { privateKey, publicKey: rawPublicKey(privateKey) },
    caPem: `${caPem}\n`,
    caFingerprint: createHash('sha256').update(Buffer.from(ca.certificate.rawData)).digest('hex'),
    chainPem: `${leaf.certificatePem}\n${caPem}\n`,
    leafKeyPem: leaf.keyPem,
  }
}

const once = async (
  settings: SealedSettings,
  key: string,
  make: () => Buffer | Promise<Buffer>,
): Promise<Buffer> =>
  (await settings.getSealed(key)) ?? (await settings.putSealedIfAbsent(key, await make()))

const loadCa = async (settings: SealedSettings, clock: Clock): Promise<CertificateAuthority> => {
  const stored = JSON.parse((await once(settings, 'ca', () => makeCa(clock))).toString()) as {
    certificate: string
    key: string
  }
  const key = await webcrypto.subtle.importKey(
    'pkcs8',
    Buffer.from(stored.key, 'base64'),
    ecdsa,
    false,
    ['sign'],
  )
  return { certificate: new x509.X509Certificate(stored.certificate), key }
}

const makeCa = async (clock: Clock): Promise<Buffer> => {
  const keys = await webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify'])
  const now = clock.now()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: 'CN=Stagely CA',
    notBefore: new Date(now - clockSlack),
    notAfter: new Date(now + 3_653 * day),
    signingAlgorithm: ecdsa,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return Buffer.from(
    JSON.stringify({
      certificate: certificate.toString('pem'),
      key: Buffer.from(pkcs8).toString('base64'),
    }),
  )
}

const issueLeaf = async (
  ca: CertificateAuthority,
  clock: Clock,
  names: readonly string[],
): Promise<{ certificatePem: string; keyPem: string }> => {
  const keys = await webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify'])
  const now = clock.now()
  const all = [...new Set(['localhost', '127.0.0.1', '::1', hostname(), ...names])]
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: 'CN=stagely-controller',
    issuer: ca.certificate.subject,
    notBefore: new Date(now - clockSlack),
    notAfter: new Date(now + 365 * day),
    signingAlgorithm: ecdsa,
    publicKey: keys.publicKey,
    signingKey: ca.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        all.map((value) => ({
          type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const),
          value,
        })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(ca.certificate.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    certificatePem: certificate.toString('pem'),
    keyPem: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
  }
}

/** Positive and 127 bits long: some clients refuse a leading zero or a sign bit. */
const serialNumber = (): string => {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes.toString('hex')
}

const makeX25519 = (): Buffer =>
  generateKeys('X25519').privateKey.export({ format: 'der', type: 'pkcs8' })
