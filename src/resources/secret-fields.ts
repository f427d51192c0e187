// The fields of a secret by their flat names, derived from the schema of StagelySecret, so that a new
// field needs no change here. Used by REST and in the files of `secrets export`. Names are those of the
// columns: file_path, file_permissions.
import {
  fieldsOf,
  hidden,
  valueAt,
  withFields as withFieldsOf,
  type RestField,
} from './rest-fields.ts'
import { secretSpec } from './stagelysecret.ts'

export const secretFields: readonly RestField[] = fieldsOf(secretSpec, {
  projectRef: hidden, // the path names it
  file: { prefix: 'file_', fields: { mode: { name: 'file_permissions' } } },
  value: { writeOnly: true },
  valueBase64: { writeOnly: true },
  sealedValue: { writeOnly: true },
  valueFrom: { asItIs: true },
})

export type SecretInput = Readonly<Record<string, unknown>>

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

const label = (text: string): string => text.replace(/^-+|-+$/g, '')

/**
 * Name for a new secret's object, `stripe-secret-key.backend`. Characters that a name cannot hold are
 * left out.
 */
export const secretName = ({ key, scope = 'global', stagelet }: SecretInput): string => {
  const parts = [key, scope, ...(typeof stagelet === 'string' ? [stagelet] : [])]
  const labels = parts.flatMap((part) =>
    String(part).toLowerCase().replaceAll('_', '-').split('.').map(label).filter(Boolean),
  )
  return labels.join('.').slice(0, 200) || 'secret'
}
