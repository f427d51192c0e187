// What may be asked of a new token.
import { append } from '../../kernel/append.ts'
import { StagelyError, type Fault } from '../../kernel/errors.ts'
import { narrowingKeys, type Narrowing } from '../../access/place.ts'
import type { TeamRole } from '../../access/team-roles.ts'

export interface TokenSpec {
  readonly name: string
  /** ms since the epoch; absent: it does not expire. */
  readonly expiresAt?: number | undefined
  readonly readOnly?: boolean | undefined
  /** Only in these teams. */
  readonly namespaces?: readonly string[] | undefined
  /** Only these places of its teams. */
  readonly narrowing?: Narrowing | undefined
  /** The maker has the right to what is protected: the machine has that right where the narrowing names the environment. */
  readonly entersProtected?: boolean | undefined
  /** The role of a machine, which is required; for a person, the limit of the token's rights. */
  readonly role?: TeamRole | undefined
}

/** The owner of a token: a user (by id or name), or a machine of a team. */
export type TokenOwner = { readonly user: string } | { readonly team: string }

const namePattern = /^[A-Za-z0-9]([A-Za-z0-9._@-]{0,61}[A-Za-z0-9])?$/

/** Of a token, or of a member's role. */
export const narrowingFaults = (narrowing: Narrowing = {}): Fault[] => {
  const { folders, ...places } = narrowing
  const empty = narrowingKeys
    .filter((key) => narrowing[key]?.length === 0)
    .map((field): Fault => {
      const message = 'Invalid value: must name at least one; leave it out for all'
      return { field, reason: 'FieldValueInvalid', message }
    })
  if (folders === undefined || Object.values(places).some((names) => names !== undefined))
    return empty
  const message = 'Forbidden: name projects, environments or stagelets too'
  return [...empty, { field: 'folders', reason: 'FieldValueForbidden', message }]
}

/** Faults name fields as the REST API does, which alone creates tokens. */
export const checkSpec = (owner: TokenOwner, spec: TokenSpec, now: number): void => {
  const faults: Fault[] = []
  if (!namePattern.test(spec.name))
    faults.push({
      field: 'name',
      reason: 'FieldValueInvalid',
      message:
        'Invalid value: must be up to 63 letters, digits, ".", "_", "@" and "-", beginning and ending with a letter or digit',
    })
  if ('team' in owner && spec.role === undefined)
    faults.push({
      field: 'role',
      reason: 'FieldValueRequired',
      message: 'Required value: name the role that the machine has in the team',
    })
  if ('team' in owner && spec.namespaces !== undefined)
    faults.push({
      field: 'teams',
      reason: 'FieldValueForbidden',
      message: 'Forbidden: a machine is in its own team only',
    })
  append(faults, narrowingFaults(spec.narrowing))
  if (spec.expiresAt !== undefined && spec.expiresAt <= now)
    faults.push({
      field: 'expires_at',
      reason: 'FieldValueInvalid',
      message: 'Invalid value: must be a time to come',
    })
  if (faults.length === 0) return
  const list = faults.map((fault) => `${fault.field}: ${fault.message}`).join(', ')
  const { name } = spec
  const details = { kind: 'Token', name, faults }
  throw new StagelyError('Invalid', `token "${name}" is invalid: ${list}`, details)
}
