// The fields of a secret by their flat names, derived from the schema of StagelySecret, so that a new
// field needs no change here. Used by REST and in the files of `secrets export`. Names are those of the
// columns: file_path, file_permissions.
import {
  fieldsOf,
  hidden,
  valueAt,
  withRestFields as withFieldsOf,
  type RestField,
} from '../../resources/schemas/rest-fields.ts'
import type { SecretInput } from './name.ts'
import { secretSpec } from './schema.ts'

export const secretFields: readonly RestField[] = fieldsOf(secretSpec, {
  projectRef: hidden, // the path names it
  file: { prefix: 'file_', fields: { mode: { name: 'file_permissions' } } },
  valueFrom: { asItIs: true },
})

export { secretName, type SecretInput } from './name.ts'

/** The part of a spec that may be shown. */
export const shownOf = (spec: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    secretFields
      .filter((field) => !field.writeOnly)
      .map(({ name, path }) => [name, valueAt(spec, path)] as const)
      .filter(([, value]) => value !== undefined),
  )

/** `spec` with the given fields; `null` removes a field. */
export const withFields = (
  spec: Readonly<Record<string, unknown>>,
  input: SecretInput,
): Record<string, unknown> => withFieldsOf(secretFields, spec, input)
