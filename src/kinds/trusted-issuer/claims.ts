// What the claims of a token say of a job, and whether they are those of a rule. Pure.
import type { Fault } from '../../kernel/errors.ts'
import { isRecord } from '../../kernel/record.ts'
import { forbiddenField } from '../../resources/validation/faults.ts'

type Claims = Readonly<Record<string, unknown>>

interface Service {
  readonly name: string
  /** Beginning of its issuer, where all of its customers share one. */
  readonly issuer?: string
  /** A claim of each of its tokens, and of no other service's. */
  readonly mark: string
  /** Claims that say whose the job is. A rule names at least one. */
  readonly owners: readonly string[]
}

const services: readonly Service[] = [
  {
    name: 'GitHub or Forgejo',
    issuer: 'https://token.actions.githubusercontent.com',
    mark: 'repository',
    owners: ['repository', 'repository_id', 'repository_owner', 'repository_owner_id'],
  },
  {
    name: 'GitLab',
    issuer: 'https://gitlab.com',
    mark: 'project_path',
    owners: ['project_path', 'project_id', 'namespace_path', 'namespace_id'],
  },
  {
    name: 'Kubernetes',
    mark: 'kubernetes.io',
    owners: ['kubernetes.io/namespace', 'kubernetes.io/serviceaccount/uid'],
  },
]

/** They are checked of each token, by rules of their own. */
const ofEachToken: readonly string[] = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti']

/** Claims that are a branch or a tag, and nothing else: a beginning such as `refs/tags/v` is safe there. */
const refClaims: readonly string[] = ['ref', 'base_ref', 'head_ref', 'ref_path']

/** Why a rule with these claims trusts too many jobs of the service. */
const faultOfOwner = (claims: readonly string[], { name, owners }: Service): string | undefined =>
  owners.some((owner) => claims.includes(owner))
    ? undefined
    : `name one of ${owners.join(', ')} too: sub alone, and the rest, do not say for sure whose a job of ${name} is`

/** Faults of the claims of a rule. */
export const faultsOfRule = (issuer: string, claims: Claims, field: string): Fault[] => {
  const names = Object.keys(claims)
  if (names.length === 0) {
    const message = 'Required value: name at least one claim; without one each token would do'
    return [{ field, reason: 'FieldValueRequired', message }]
  }
  const service = services.find(
    ({ issuer: shared }) => shared !== undefined && issuer.startsWith(shared),
  )
  const ownerless = service && faultOfOwner(names, service)
  return [
    ...names
      .filter((name) => ofEachToken.includes(name))
      .map((name) => forbiddenField(`${field}.${name}`, 'it is checked of each token already')),
    ...Object.entries(claims).flatMap(([name, text]) =>
      typeof text === 'string' &&
      text.endsWith('*') &&
      !refClaims.includes(name) &&
      !/[/:@]\*$/.test(text)
        ? [
            forbiddenField(
              `${field}.${name}`,
              '"*" stands after "/", ":" or "@", but in claims of a ref: acme/shop* would be acme/shop-evil too',
            ),
          ]
        : [],
    ),
    ...(ownerless === undefined ? [] : [forbiddenField(field, ownerless)]),
  ]
}

/** `kubernetes.io/namespace` is a claim of this name, or else the claim `namespace` in `kubernetes.io`. */
const claimAt = (claims: Claims, name: string): unknown => {
  if (Object.hasOwn(claims, name)) return claims[name]
  let found: unknown = claims
  for (const part of name.split('/'))
    found = isRecord(found) && Object.hasOwn(found, part) ? found[part] : undefined
  return found
}

const mostShown = 200

const faultOfClaim = (name: string, wanted: string, given: unknown): string | undefined => {
  if (given === undefined) return `the claim ${name} is missing`
  if (typeof given !== 'string') return `the claim ${name} is no text`
  const isAs = wanted.endsWith('*') ? given.startsWith(wanted.slice(0, -1)) : given === wanted
  return isAs
    ? undefined
    : `the claim ${name} is ${JSON.stringify(given.slice(0, mostShown))}, not ${JSON.stringify(wanted)}`
}

/** Why the rule is not for a token with these claims; undefined: it is. */
export const misfitOf = (
  wanted: Readonly<Record<string, string>>,
  claims: Claims,
): string | undefined => {
  for (const service of services) {
    if (!Object.hasOwn(claims, service.mark)) continue
    const fault = faultOfOwner(Object.keys(wanted), service)
    if (fault !== undefined) return fault
  }
  for (const [name, text] of Object.entries(wanted)) {
    const fault = faultOfClaim(name, text, claimAt(claims, name))
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Claims by which a person finds the job at its service. */
const runs = ['run_id', 'job_id', 'pipeline_id', 'kubernetes.io/pod/name'] as const

export const runOf = (claims: Claims): string | undefined => {
  for (const name of runs) {
    const found = claimAt(claims, name)
    if (typeof found === 'string' || typeof found === 'number')
      return String(found).slice(0, mostShown)
  }
  return undefined
}
