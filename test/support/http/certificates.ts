// Certificates that end when a test wants.
import { webcrypto } from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

export interface TestCertificate {
  readonly pem: string
  readonly keyPem: string
  readonly der: Buffer
}

export const certificateUntil = async (
  endsMs: number,
  names: readonly string[] = [],
): Promise<TestCertificate> => {
  const keys = await webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=test',
    notBefore: new Date(endsMs - 86_400_000 * 400),
    notAfter: new Date(endsMs),
    signingAlgorithm: ecdsa,
    keys,
    ...(names.length === 0
      ? {}
      : {
          extensions: [
            new x509.SubjectAlternativeNameExtension(
              names.map((value) => ({ type: 'dns' as const, value })),
            ),
          ],
        }),
  })
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  const lines = key.toString('base64').match(/.{1,64}/g) ?? []
  return {
    pem: `${certificate.toString('pem')}\n`,
    der: Buffer.from(certificate.rawData),
    keyPem: `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`,
  }
}
