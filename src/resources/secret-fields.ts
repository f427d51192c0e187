// The fields of a secret by their flat names: a field that is added to the schema of StagelySecret is
// here too. REST and the files of `secrets export` call them so. Names follow the columns: file_path,
// file_permissions.
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

/** What of a spec may be shown. */
export const shownOf = (spec: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    secretFields
      .filter((field) => !field.writeOnly)
      .map(({ name, path }) => [name, valueAt(spec, path)] as const)
      .filter(([, value]) => value !== undefined),
  )

/** `spec` with what is given; `null` takes a field away. */
export const withFields = (
  spec: Readonly<Record<string, unknown>>,
  input: SecretInput,
): Record<string, unknown> => withFieldsOf(secretFields, spec, input)

const label = (text: string): string => text.replace(/^-+|-+$/g, '')

/** Name of a new secret's object, `stripe-secret-key.backend`; what no name may hold is left out. */
export const secretName = ({ key, scope = 'global', stagelet }: SecretInput): string => {
  const parts = [key, scope, ...(typeof stagelet === 'string' ? [stagelet] : [])]
  const labels = parts.flatMap((part) =>
    String(part).toLowerCase().replaceAll('_', '-').split('.').map(label).filter(Boolean),
  )
  return labels.join('.').slice(0, 200) || 'secret'
}
