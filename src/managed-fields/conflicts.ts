// Conflicts of an apply, in Kubernetes' words: kubectl prints its advice from the causes.
import { StagelyError, type Fault } from '../kernel/errors.ts'
import { difference, intersection, isEmptySet, pathsOf, textOfPath } from './field-set.ts'
import type { FieldSet } from './field-set.ts'
import type { ManagerIdentity, Manager } from './managers.ts'

export interface Conflict {
  readonly owner: Manager
  readonly fields: FieldSet
}

/** Fields that the apply would change and other managers own. */
export const findConflicts = (
  others: readonly Manager[],
  changed: FieldSet,
  allowed: FieldSet,
): Conflict[] =>
  others
    .map((owner) => ({
      owner,
      fields: difference(intersection(owner.fields, changed), allowed),
    }))
    .filter(({ fields }) => !isEmptySet(fields))

const nameOf = ({ manager, operation, apiVersion, subresource }: ManagerIdentity): string =>
  JSON.stringify(manager) +
  (subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`) +
  (operation === 'Update' ? ` using ${apiVersion}` : '')

/** 409 with one cause for each field and owner. */
export const conflictError = (conflicts: readonly Conflict[]): StagelyError => {
  const byOwner = conflicts
    .map(({ owner, fields }) => ({ name: nameOf(owner), fields: pathsOf(fields).map(textOfPath) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const faults = byOwner.flatMap(({ name, fields }) =>
    fields.map((field): Fault => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${name}`,
      field,
    })),
  )
  const [first] = faults
  const text =
    faults.length === 1
      ? `${first!.message}: ${first!.field}`
      : byOwner
          .flatMap(({ name, fields }) => [
            `conflicts with ${name}:`,
            ...fields.map((field) => `- ${field}`),
          ])
          .join('\n')
  const count = `${faults.length} conflict${faults.length === 1 ? '' : 's'}`
  return new StagelyError('Conflict', `Apply failed with ${count}: ${text}`, { faults })
}
