// A TrustedIssuer lets jobs of somebody else's service log in by the token that the service gives them. See ADR 0084.
import * as z from 'zod'
import { teamRoles } from '../../access/team-roles.ts'
import type { Fault } from '../../kernel/errors.ts'
import { isRecord } from '../../kernel/record.ts'
import { mapOf, path, instant } from '../../resources/limits.ts'
import { pathIn } from '../../resources/paths.ts'
import { environmentName } from '../shared/environment.ts'
import { faultsOfRule } from './claims.ts'
import { conditionsSchema, nameOfKind } from '../../resources/schema-parts.ts'
import { caBundleSchema } from '../secret-store/providers.ts'

/** Public keys alone: nothing that a JWKS tells signs a token. */
const signatureAlgorithms = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA'] as const),
] as const
type SignatureAlgorithm = (typeof signatureAlgorithms)[number]

const places = (of: z.ZodString) => z.array(of).min(1).max(100).optional()

const trustRule = z.strictObject({
  claims: mapOf(
    z
      .string()
      .max(512)
      .regex(
        /^[^*]+\*?$/,
        'must be the text of the claim, or its beginning and one "*" at the end',
      ),
    { most: 32, key: z.string().min(1).max(256) },
  ).describe(
    'What the token must say, by the name of the claim: its text, or its beginning and "*". A name such as kubernetes.io/namespace is of a claim within another one. All of them must fit.',
  ),
  role: z
    .enum(teamRoles)
    .describe('What the job may do in the team, less what belongs to all of it.'),
  projects: places(nameOfKind('Project')).describe('Only in these projects; all when absent.'),
  environments: places(environmentName).describe(
    'Only in these environments of projects; everywhere when absent. One that is protected must be named.',
  ),
  stagelets: places(nameOfKind('Stagelet')).describe(
    'Only these stagelets, and secrets of theirs alone; all when absent.',
  ),
  folders: places(
    pathIn('rights', path.regex(/^\//, 'must be an absolute path on the machines of agents')),
  ).describe(
    'Stagelets that the job makes lie below these folders of their machines. Absent: in a folder that no stack elsewhere has.',
  ),
  ttl: z
    .string()
    .max(3)
    .regex(/^([1-9]|[1-5]\d|60)m$|^1h$/, 'must be 1m to 60m, or 1h')
    .default('10m')
    .describe('How long the job has its rights.'),
})

export const trustedIssuerSpec = z.strictObject({
  issuer: z
    .string()
    .max(1024)
    .regex(
      /^https?:\/\/[^\s@?#]+$/,
      'must be a URL such as https://token.actions.githubusercontent.com, without a password and a query',
    )
    .describe(
      'The claim iss of its tokens, to the letter. Its keys are found by /.well-known/openid-configuration there. Plain http only where the operator of the controller allows the address.',
    ),
  audience: z
    .string()
    .min(1)
    .max(512)
    .describe(
      'The claim aud of tokens that are meant for this controller, and of no others: its URL, say.',
    ),
  algorithms: z
    .array(z.enum(signatureAlgorithms))
    .min(1)
    .max(signatureAlgorithms.length)
    .optional()
    .describe('How tokens may be signed; RS256 and ES256 when absent.'),
  // As text: YAML takes the names n and y of its parts for words of logic.
  jwks: z
    .string()
    .max(65_536)
    .optional()
    .describe(
      'Its public keys (JWKS, as JSON), where the controller cannot ask the issuer for them: those of a cluster, say.',
    ),
  caBundle: caBundleSchema,
  rules: z
    .array(trustRule)
    .min(1)
    .max(100)
    .describe('Who gets which rights. The first rule that fits a token counts.'),
})

export const trustedIssuerStatus = z.strictObject({
  lastExchangeAt: instant.optional().describe('When a job last got a token by it, to the minute.'),
  conditions: conditionsSchema,
})

export type TrustedIssuerSpec = z.infer<typeof trustedIssuerSpec>
export type TrustRule = z.infer<typeof trustRule>

const mostKeys = 100

interface PublicKey extends Readonly<Record<string, unknown>> {
  readonly kty: string
}

/** A key that could sign is a secret, or a mistake. */
const isPublic = (key: unknown): key is PublicKey =>
  isRecord(key) && typeof key.kty === 'string' && key.kty !== 'oct' && key['d'] === undefined

/** The keys of a JWKS. Throws what is wrong with it. */
export const publicKeysIn = (jwks: unknown): PublicKey[] => {
  const keys: unknown = isRecord(jwks) ? jwks.keys : undefined
  if (!Array.isArray(keys) || keys.length === 0) throw new Error('there are no keys (JWKS)')
  if (keys.length > mostKeys) throw new Error(`there are more than ${mostKeys} keys`)
  if (!keys.every(isPublic)) throw new Error('one of its keys is no public key')
  return keys
}

export const algorithmsOf = ({
  algorithms = ['RS256', 'ES256'],
}: TrustedIssuerSpec): SignatureAlgorithm[] => algorithms

const faultsOfKeys = (jwks: unknown): Fault[] => {
  if (typeof jwks !== 'string') return []
  try {
    publicKeysIn(JSON.parse(jwks))
    return []
  } catch {
    const message =
      'Invalid value: must be public keys as JSON: {"keys": […]}, such as kubectl get --raw /openid/v1/jwks prints'
    return [{ field: 'spec.jwks', reason: 'FieldValueInvalid', message }]
  }
}

/** Rules that the schema cannot express. */
export const checkTrustedIssuer = ({ issuer, jwks, rules }: Record<string, unknown>): Fault[] => [
  ...faultsOfKeys(jwks),
  ...(Array.isArray(rules) ? (rules as unknown[]) : []).flatMap((rule, at) =>
    isRecord(rule) && isRecord(rule.claims)
      ? faultsOfRule(
          typeof issuer === 'string' ? issuer : '',
          rule.claims,
          `spec.rules[${at}].claims`,
        )
      : [],
  ),
]
