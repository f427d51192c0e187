// Explains why there was no answer, and which setting to change.
import { realClock, toTimestamp } from '../../src/kernel/clock.ts'
import { UnansweredError } from '../errors.ts'

const unknownCa = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
  'CERT_SIGNATURE_FAILURE',
])

/** Looks into an AggregateError too (one error for each address). */
const codeOf = (error: unknown): string => {
  const { code, errors, cause } = error as { code?: string; errors?: unknown[]; cause?: unknown }
  if (code !== undefined) return code
  if (errors !== undefined && errors.length > 0) return codeOf(errors[0])
  return cause === undefined ? '' : codeOf(cause)
}

export const connectionError = (server: string, error: unknown): UnansweredError => {
  const code = codeOf(error)
  return new UnansweredError(sentence(server, code), 1, error)
}

const hereNow = (): string => toTimestamp(realClock.now())

const sentence = (server: string, code: string): string => {
  if (unknownCa.has(code)) {
    return `${server} has a certificate of an unknown authority (${code}): give the ca.crt of this very controller, by STAGELY_CA_FILE or "stagely login --ca-file"`
  }
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens at ${server} (connection refused): is the controller running, and is STAGELY_SERVER right?`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host of ${server} is not known (${code}): check STAGELY_SERVER`
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the certificate of ${server} is for another name: start the controller with --tls-san, or use a name that it has`
    case 'CERT_NOT_YET_VALID':
      return `the certificate of ${server} begins later than now by the clock of this machine (${hereNow()}): set the clock`
    case 'CERT_HAS_EXPIRED':
      return `the certificate of ${server} has expired by the clock of this machine (${hereNow()}): set the clock, or renew the certificate`
    case 'EPROTO':
    case 'HPE_INVALID_CONSTANT':
      return `${server} does not speak this protocol (${code}): http instead of https, or the other way round?`
    default:
      return `${server} did not answer (${code === '' ? 'no reason given' : code}): check STAGELY_SERVER${server.startsWith('http:') ? ', and whether it is https' : ''}`
  }
}
