// Whether a TrustedIssuer vouches for a job: checks the token of the job, and finds its rule.
import { createHash } from 'node:crypto'
import {
  calculateJwkThumbprint,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  exportJWK,
  jwtVerify,
  type JWTPayload,
} from 'jose'
import { runOf, misfitOf } from '../../src/kinds/trusted-issuer/claims.ts'
import { algorithmsOf } from '../../src/kinds/trusted-issuer/schema.ts'
import type { Typed } from '../../src/kinds/typed.ts'
import type { Exchange, VouchedJob } from '../../src/store/people/exchanged-tokens.ts'
import { IssuerFault, type IssuerKeys } from './issuer-keys.ts'

const mostLetters = 16_384
/** Clocks of an issuer and of this machine differ (s). */
const skewSeconds = 60
const longestSeconds = 86_400
const mostSubject = 1_024

type RefusalWord =
  | 'Malformed'
  | 'Issuer'
  | 'Audience'
  | 'Algorithm'
  | 'Key'
  | 'Signature'
  | 'Time'
  | 'Claims'
  | 'Rule'
  | 'IssuerAway'

/** Why a token is not taken. `told`: what its sender learns. `why`: what the audit log says beside. */
export class RefusedIdentity extends Error {
  override readonly name = 'RefusedIdentity'
  readonly word: RefusalWord
  readonly why: string | undefined

  constructor(word: RefusalWord, told: string, why?: string) {
    super(told)
    this.word = word
    this.why = why
  }
}

/** What a token says of itself, which nobody has checked. */
export interface ClaimedIdentity {
  readonly token: string
  readonly issuer: string
  readonly audience: string
  readonly subject: string
}

const malformed = (): RefusedIdentity =>
  new RefusedIdentity('Malformed', 'subject_token is no JWT that an issuer has signed')

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** RefusedIdentity for what is no JWT. */
export const readClaimed = (token: string): ClaimedIdentity => {
  if (token.length > mostLetters)
    throw new RefusedIdentity('Malformed', `subject_token is longer than ${mostLetters} letters`)
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) throw malformed()
  try {
    decodeProtectedHeader(token)
    const { iss, sub, aud } = decodeJwt(token)
    const audiences = Array.isArray(aud) ? aud : [aud]
    // Whoever else it is meant for could use it here.
    const audience = audiences.length === 1 ? textOf(audiences[0]) : ''
    return { token, issuer: textOf(iss), subject: textOf(sub), audience }
  } catch {
    throw malformed()
  }
}

const tellOf = (error: unknown): RefusedIdentity => {
  if (error instanceof IssuerFault)
    return new RefusedIdentity(
      'IssuerAway',
      'the keys of the issuer cannot be read; the audit log of the team says why',
      error.message,
    )
  if (error instanceof errors.JOSEAlgNotAllowed)
    return new RefusedIdentity(
      'Algorithm',
      'the token is signed in a way that the TrustedIssuer does not list',
    )
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return new RefusedIdentity('Signature', 'the signature of the token is not that of its issuer')
  if (error instanceof errors.JWKSNoMatchingKey)
    return new RefusedIdentity('Key', 'the issuer has no key that the token is signed with')
  if (error instanceof errors.JWTExpired)
    return new RefusedIdentity('Time', 'the token has expired')
  if (error instanceof errors.JWTClaimValidationFailed)
    return error.claim === 'nbf' || error.claim === 'iat'
      ? new RefusedIdentity('Time', 'the token is not valid yet')
      : new RefusedIdentity(
          'Claims',
          `the claim ${error.claim} is missing, or is not as it should be`,
        )
  if (error instanceof errors.JOSEError || error instanceof TypeError)
    return new RefusedIdentity('Signature', 'the token cannot be checked', error.message)
  throw error
}

/**
 * What the signature covers is the same in each copy of a token; a signature can be written in several ways. Of the key that
 * signed it: a team that gives keys of its own for an issuer uses up nobody's tokens.
 */
const oneTimeId = (token: string, { iss, jti }: JWTPayload, signer: string): string =>
  JSON.stringify(
    typeof jti === 'string' && jti !== ''
      ? [iss, signer, 'jti', jti]
      : [
          iss,
          signer,
          'content',
          createHash('sha256')
            .update(token.slice(0, token.lastIndexOf('.')))
            .digest('hex'),
        ],
  )

const jobOf = (
  token: string,
  { claims, signer }: { readonly claims: JWTPayload; readonly signer: string },
  nowSeconds: number,
): VouchedJob => {
  const { sub = '', exp = 0, iat = 0 } = claims
  if (iat > nowSeconds + skewSeconds)
    throw new RefusedIdentity('Time', 'the token is not valid yet')
  if (exp - iat > longestSeconds || exp > nowSeconds + longestSeconds)
    throw new RefusedIdentity('Time', 'the token is valid for longer than a day')
  if (typeof sub !== 'string' || sub === '' || sub.length > mostSubject)
    throw new RefusedIdentity('Claims', 'the claim sub is no text, is missing, or is too long')
  return {
    subject: sub,
    run: runOf(claims),
    tokenId: oneTimeId(token, claims, signer),
    until: (exp + skewSeconds) * 1_000,
  }
}

/** The exchange that the TrustedIssuer allows. RefusedIdentity where it allows none. */
export const vouchFor = async (
  trusted: Typed<'TrustedIssuer'>,
  { token }: ClaimedIdentity,
  { keys, now }: { readonly keys: IssuerKeys; readonly now: number },
): Promise<Exchange> => {
  const { spec } = trusted
  const { issuer, audience, rules } = spec
  const { payload, key } = await keys
    .use(spec, (keySet) =>
      jwtVerify(token, keySet, {
        issuer,
        audience,
        algorithms: algorithmsOf(spec),
        clockTolerance: skewSeconds,
        currentDate: new Date(now),
        requiredClaims: ['sub', 'exp', 'iat'],
      }),
    )
    .catch((error: unknown) => {
      throw tellOf(error)
    })
  const signer = await calculateJwkThumbprint(await exportJWK(key))
  const job = jobOf(token, { claims: payload, signer }, now / 1_000)
  const misfits = rules.map(({ claims }) => misfitOf(claims, payload))
  const ruleAt = misfits.indexOf(undefined)
  if (ruleAt >= 0) return { trusted, ruleAt, job }
  throw new RefusedIdentity(
    'Rule',
    'no rule of the TrustedIssuer fits the claims of the token; the audit log of the team says what each rule misses',
    misfits
      .map((why, at) => `rules[${at}]: ${why ?? ''}`)
      .join('; ')
      .slice(0, 4_000),
  )
}
