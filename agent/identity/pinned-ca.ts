// Gets the CA certificate of the controller, by its fingerprint in the join token.
import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { connect, type DetailedPeerCertificate } from 'node:tls'
import { StagelyError, messageOf } from '../../src/kernel/errors.ts'

const timeoutMs = 10_000

/**
 * PEM of the certificate in the server's chain whose SHA-256 is `fingerprint` (hex). The connection checks no
 * certificate and sends nothing: it only reads the chain. Forbidden when no certificate matches, ServiceUnavailable
 * when the server cannot be reached.
 */
export const fetchPinnedCa = (url: string, fingerprint: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const host = hostname.replace(/^\[|\]$/g, '')
    const fail = (error: Error): void => {
      socket.destroy()
      const message = `cannot reach the controller at ${url}: ${messageOf(error)}`
      reject(new StagelyError('ServiceUnavailable', message, {}, error))
    }
    const socket = connect({
      host,
      port: Number(port === '' ? 443 : port),
      ...(isIP(host) === 0 && { servername: host }),
      rejectUnauthorized: false,
    })
    socket.setTimeout(timeoutMs, () => fail(new Error('no answer in time')))
    socket.once('error', fail)
    socket.once('secureConnect', () => {
      const der = findInChain(socket.getPeerCertificate(true), fingerprint)
      socket.destroy()
      if (der !== undefined) {
        resolve(toPem(der))
        return
      }
      const message = `the server at ${url} does not show the CA that the join token pins: it is not the controller, something sits between, or the CA changed; make a new token`
      reject(new StagelyError('Forbidden', message))
    })
  })

const findInChain = (
  leaf: DetailedPeerCertificate | undefined,
  fingerprint: string,
): Buffer | undefined => {
  const visited = new Set<DetailedPeerCertificate>()
  for (
    let cert = leaf;
    cert?.raw !== undefined && !visited.has(cert);
    cert = cert.issuerCertificate
  ) {
    if (createHash('sha256').update(cert.raw).digest('hex') === fingerprint) return cert.raw
    visited.add(cert)
  }
  return undefined
}

const toPem = (der: Buffer): string => {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
