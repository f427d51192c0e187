// What an edit stages: one secret in one place, or the same value in several. Pure.
import { defined } from '../../../../src/kernel/defined.ts'
import { sameJson } from '../../../../src/kernel/same-json.ts'
import type { Secret } from '../../../../src/generated/rest-types.ts'
import type { SecretPlace } from '../../../../src/secrets/place.ts'
import type { Edit } from '../../../staging/staging.ts'
import type { SecretRow } from '../../project/data.ts'

export interface EditTarget {
  readonly scope: string
  /** '' for all. */
  readonly stagelet: string
  /** Of a secret of no stagelet; absent for all. */
  readonly environments?: readonly string[] | undefined
}

/** Places beside the first: each of the scopes in each of the stagelets. */
export interface MorePlaces {
  readonly scopes: readonly string[]
  readonly stagelets: readonly string[]
}
export const nowhereElse: MorePlaces = { scopes: [], stagelets: [] }

export interface EditFields extends EditTarget {
  readonly key: string
  readonly type: 'env' | 'file'
  readonly path: string
  readonly visibility: 'Masked' | 'Plain'
}

/** The first is the target itself. */
export const placesOf = (target: EditTarget, { scopes, stagelets }: MorePlaces): EditTarget[] => {
  const all = [...new Set([target.stagelet, ...stagelets])].flatMap((stagelet) =>
    [...new Set([target.scope, ...scopes])].map((scope) => ({
      scope,
      stagelet,
      ...(stagelet === '' && defined({ environments: target.environments })),
    })),
  )
  return all.sort((a, b) => Number(isSame(b, target)) - Number(isSame(a, target)))
}

/** A secret of a stagelet is in no environment. */
const environmentsOf = ({ stagelet, environments = [] }: EditTarget): readonly string[] =>
  stagelet === '' ? [...environments].sort() : []

const isSame = (a: EditTarget, b: EditTarget): boolean =>
  a.scope === b.scope && a.stagelet === b.stagelet && sameJson(environmentsOf(a), environmentsOf(b))

const targetOf = ({ scope, stagelet = '', environments }: SecretPlace): EditTarget => ({
  scope,
  stagelet,
  environments,
})

const isAt = (
  secret: SecretPlace & Pick<Secret, 'key'>,
  key: string,
  target: EditTarget,
): boolean => secret.key === key && isSame(targetOf(secret), target)

/** The secret that is stored there. */
export const storedAt = (
  rows: readonly SecretRow[],
  key: string,
  target: EditTarget,
): Secret | undefined =>
  rows.find(({ secret }) => secret.name !== '' && isAt(secret, key, target))?.secret

export interface Planned {
  readonly edit: Omit<Edit, 'id'>
  readonly replaces?: number
}

export interface EditInput {
  readonly fields: EditFields
  readonly more: MorePlaces
  readonly edited: SecretRow | undefined
  readonly rows: readonly SecretRow[]
  /** Bytes of the new value; undefined: none is given. */
  readonly bytes: number | undefined
}

const keyRule = /^[A-Za-z_][A-Za-z0-9_.-]*$/
export const keyFault =
  'A key has letters, digits, "_", "." and "-", and does not begin with a digit.'
export const isKey = (key: string): boolean => keyRule.test(key)

const isOnlyStaged = (row: SecretRow | undefined): boolean => row?.secret.name === ''

/** The secret that the edit changes; undefined: it makes one, or goes on with one that is only staged. */
const changedBy = ({ edited }: Pick<EditInput, 'edited'>): Secret | undefined =>
  isOnlyStaged(edited) ? undefined : edited?.secret

export const editFault = (input: EditInput): string | undefined => {
  const { fields, more, edited, rows, bytes } = input
  if (!isKey(fields.key)) return keyFault
  if (fields.scope.trim() === '') return 'The scope is "global" or the name of a service.'
  const hasValue = bytes !== undefined || edited?.edit?.bytes !== undefined
  const changed = changedBy(input)
  if (changed === undefined) return hasValue ? undefined : 'A new secret needs a value.'
  if (placesOf(fields, more).length > 1 && !hasValue)
    return 'A new value is needed for other places: the stored value is not read.'
  const isMoved = !isAt(changed, fields.key, fields)
  const isSame = visibilityOf(changed) === fields.visibility
  if (isMoved && storedAt(rows, fields.key, fields) !== undefined)
    return 'This key already has a secret in this place.'
  if (bytes === undefined && !isMoved && isSame && edited?.edit === undefined)
    return changed.value_from === undefined
      ? 'No changes: enter a new value, or choose another place or visibility.'
      : 'No changes: choose another place.'
  return undefined
}

/** Masked when absent. */
export const visibilityOf = ({ visibility = 'Masked' }: Pick<Secret, 'visibility'>) => visibility

const movedOf = (before: EditTarget, now: EditTarget): Edit['target'] => {
  const scope = before.scope === now.scope ? {} : { scope: now.scope }
  const stagelet =
    before.stagelet === now.stagelet ? {} : { stagelet: now.stagelet === '' ? null : now.stagelet }
  const changed = { ...scope, ...stagelet }
  return Object.keys(changed).length === 0 ? undefined : changed
}

/** Where and how the same secret is stored elsewhere: all that is no value, no key and no place. */
const copied = (secret: Secret | undefined): Edit['fields'] => {
  if (secret === undefined) return undefined
  const { file_permissions, file_uid, file_gid, file_target, file_env_var, references } = secret
  const { format, pattern } = secret
  const fields = { file_permissions, file_uid, file_gid, file_target, file_env_var, references }
  return Object.fromEntries(
    Object.entries({ ...fields, format, pattern }).filter(([, value]) => value !== undefined),
  )
}

const plannedAt = (input: EditInput, target: EditTarget): Omit<Edit, 'id'> => {
  const { fields, rows, bytes } = input
  const stored = storedAt(rows, fields.key, target)
  const place = {
    key: fields.key,
    scope: target.scope,
    type: stored?.type ?? fields.type,
    bytes,
    stagelet: target.stagelet === '' ? undefined : target.stagelet,
  }
  if (stored !== undefined)
    return { ...place, op: 'update', secretId: stored.id, fromVersion: stored.version }
  const { environments } = target
  const visibility = fields.visibility === 'Plain' ? fields.visibility : undefined
  const more = { ...copied(changedBy(input)), ...defined({ environments, visibility }) }
  return {
    ...place,
    op: 'create',
    file_path: fields.type === 'file' && fields.path !== '' ? fields.path : undefined,
    ...(Object.keys(more).length > 0 && { fields: more }),
  }
}

/** Fields that change, beside value, scope and stagelet. */
const otherFields = (
  secret: Secret,
  target: EditTarget,
  visibility: EditFields['visibility'],
): NonNullable<Edit['fields']> => ({
  ...(!sameJson(environmentsOf(targetOf(secret)), environmentsOf(target)) && {
    environments: target.stagelet === '' ? (target.environments ?? null) : null,
  }),
  ...(visibilityOf(secret) !== visibility && { visibility }),
})

/** Of edits that have no fault, what is staged: the first is that of the edited secret. */
export const planEdit = (input: EditInput): readonly Planned[] => {
  const { fields, edited, bytes } = input
  const [target = fields, ...more] = placesOf(fields, input.more)
  const secret = changedBy(input)
  const staged = edited?.edit
  const rest = more.map((other): Planned => ({ edit: plannedAt(input, other) }))
  if (secret === undefined) {
    const replaces = staged === undefined ? {} : { replaces: staged.id }
    return [{ edit: plannedAt(input, target), ...replaces }, ...rest]
  }
  const changed = movedOf(targetOf(secret), target)
  const others = otherFields(secret, target, fields.visibility)
  const own: Omit<Edit, 'id'> = {
    op: 'update',
    key: secret.key,
    scope: secret.scope,
    type: secret.type,
    bytes,
    stagelet: secret.stagelet,
    secretId: secret.id,
    fromVersion: secret.version,
    ...defined({ target: changed }),
    ...(Object.keys(others).length > 0 && { fields: others }),
  }
  return [{ edit: own }, ...rest]
}
