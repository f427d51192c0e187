// The end of the certificates that a value consists of, or holds.
import { X509Certificate } from 'node:crypto'
import { toTimestamp } from '../kernel/clock.ts'

const block = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n[A-Za-z0-9+/=\r\n]+-----END \1-----/g
/** More than any chain has. */
const mostCertificates = 100

interface CertificateEnd {
  /** Of the certificate that ends first. */
  readonly endsAt: string
  /** The value holds nothing but certificates, which are public. */
  readonly isOnly: boolean
}

const endOfOne = (certificate: string | Buffer): number | undefined => {
  try {
    const ms = Date.parse(new X509Certificate(certificate).validTo)
    return Number.isNaN(ms) ? undefined : ms
  } catch {
    return undefined
  }
}

/** DER: a SEQUENCE with a length of two bytes. */
const isDer = (value: Buffer): boolean => value[0] === 0x30 && value[1] === 0x82

/** undefined: no certificate that can be read is in the value. */
export const certificateEnd = (value: Buffer): CertificateEnd | undefined => {
  if (isDer(value)) {
    const ms = endOfOne(value)
    return ms === undefined ? undefined : { endsAt: toTimestamp(ms), isOnly: true }
  }
  if (!value.includes('-----BEGIN CERTIFICATE-----')) return undefined
  const text = value.toString('latin1')
  const blocks = [...text.matchAll(block)]
  const certificates = blocks.filter(([, label]) => label === 'CERTIFICATE')
  const ends = certificates
    .slice(0, mostCertificates)
    .flatMap(([certificate]) => endOfOne(certificate) ?? [])
  if (ends.length === 0) return undefined
  const isOnly = certificates.length === blocks.length && text.replace(block, '').trim() === ''
  return { endsAt: toTimestamp(Math.min(...ends)), isOnly }
}
