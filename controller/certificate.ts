// The certificate that the controller presents: issued by its own CA, or read from files that another
// program renews, such as cert-manager.
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { messageOf } from '../src/kernel/errors.ts'
import type { Clock } from '../src/kernel/clock.ts'
import type { Logger } from '../src/kernel/log.ts'
import { repeatUntil } from '../src/kernel/async/pause.ts'
import { ConfigError } from './config-error.ts'
import type { Config, TlsFiles } from './config.ts'
import type { ControllerIdentity } from './identity.ts'

export interface ShownCertificate {
  /** Leaf first. */
  readonly chainPem: string
  readonly keyPem: string
  /** The self-signed certificate at the end of the chain; undefined when the chain does not contain it. */
  readonly ca: { readonly pem: string; readonly fingerprint: string } | undefined
}

const ownCertificate = (identity: ControllerIdentity): ShownCertificate => ({
  chainPem: identity.chainPem,
  keyPem: identity.leafKeyPem,
  ca: { pem: identity.caPem, fingerprint: identity.caFingerprint },
})

/**
 * The configured certificate, or one of the own CA. ConfigError when agents must pin a CA that the
 * chain does not contain.
 */
export const certificateToShow = async (
  config: Config,
  identity: ControllerIdentity,
): Promise<ShownCertificate> => {
  if (config.tlsFiles === undefined) return ownCertificate(identity)
  const certificate = await readCertificate(config.tlsFiles)
  if (certificate.ca === undefined && config.agentTrust === 'own')
    throw new ConfigError([
      `--tls-cert-file ${config.tlsFiles.certFile} does not end in a self-signed CA, so agents cannot pin it: add the CA with --tls-ca-file, or use --agent-trust system for a publicly trusted certificate`,
    ])
  return certificate
}

/** True for the addresses that mean every address of the machine. */
export const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::'

/** Names in a certificate of the own CA, in addition to the machine's names. */
export const certificateNames = (config: Config): string[] => [
  ...(config.advertiseUrl === undefined
    ? []
    : [new URL(config.advertiseUrl).hostname.replace(/^\[|\]$/g, '')]),
  ...(isWildcard(config.host) ? [] : [config.host]),
  ...config.tlsSans,
]

/** Throws ConfigError with every fault of the files. */
export const readCertificate = async (files: TlsFiles): Promise<ShownCertificate> => {
  const faults: string[] = []
  const read = async (flag: string, path: string | undefined): Promise<string> => {
    if (path === undefined) return ''
    return readFile(path, 'utf8').catch((error: unknown) => {
      faults.push(`${flag} ${path} cannot be read: ${messageOf(error)}`)
      return ''
    })
  }
  const certificates = await read('--tls-cert-file', files.certFile)
  const keyPem = await read('--tls-key-file', files.keyFile)
  const roots = await read('--tls-ca-file', files.caFile)
  if (faults.length === 0) checkPair(files, certificates, keyPem, faults)
  if (faults.length > 0) throw new ConfigError(faults)
  const chain = withRoot(parseChain(certificates), parseChain(roots))
  const last = chain.at(-1)!
  return {
    chainPem: chain.map((c) => c.toString()).join(''),
    keyPem,
    ca: isSelfSigned(last) ? { pem: last.toString(), fingerprint: fingerprintOf(last) } : undefined,
  }
}

const isSelfSigned = (certificate: X509Certificate): boolean => certificate.checkIssued(certificate)

/** SHA-256 of the DER in hex, as join tokens contain it. */
const fingerprintOf = (certificate: X509Certificate): string =>
  createHash('sha256').update(certificate.raw).digest('hex')

const parseChain = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (text) => new X509Certificate(text),
  )

/** Adds the root to the chain: servers often leave it out, but agents that pin it must receive it. */
const withRoot = (
  chain: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): X509Certificate[] => {
  const last = chain.at(-1)!
  const root = isSelfSigned(last) ? undefined : roots.find((r) => last.checkIssued(r))
  return root === undefined ? [...chain] : [...chain, root]
}

const checkPair = (files: TlsFiles, pem: string, keyPem: string, faults: string[]): void => {
  try {
    const [leaf] = parseChain(pem)
    if (leaf === undefined) faults.push(`--tls-cert-file ${files.certFile} holds no certificate`)
    else if (!leaf.checkPrivateKey(createPrivateKey(keyPem)))
      faults.push(`--tls-key-file ${files.keyFile} is not the key of ${files.certFile}`)
  } catch {
    // OpenSSL's message could quote the file.
    faults.push(
      `--tls-cert-file ${files.certFile} and --tls-key-file ${files.keyFile} must be PEM, the key without a passphrase`,
    )
  }
}

const lookEveryMs = 30_000

interface CertificateDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
}

/**
 * Reads the files every 30 s and presents a new certificate. An unusable one is logged, and the old one
 * is kept. Resolves when `signal` aborts.
 */
export const followCertificate = async (
  files: TlsFiles,
  shown: ShownCertificate,
  show: (certificate: ShownCertificate) => void,
  { clock, log, signal }: CertificateDeps,
): Promise<void> => {
  let current = shown.chainPem + shown.keyPem
  await repeatUntil(signal, clock, {
    everyMs: lookEveryMs,
    work: async () => {
      const next = await readCertificate(files)
      if (next.chainPem + next.keyPem === current) return
      show(next)
      current = next.chainPem + next.keyPem
      log.info({ file: files.certFile }, 'the certificate was renewed')
    },
    onFault: (error) =>
      log.error({ err: messageOf(error) }, 'the renewed certificate cannot be used'),
  })
}
