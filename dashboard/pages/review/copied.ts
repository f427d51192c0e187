// The staged edits as "copy as" describes them: without values.
import type { SecretEdit } from '../../actions/secrets.ts'
import { secretsOf } from '../../live/collections.ts'
import type { Edit } from '../../staging/staging.ts'
import type { ProjectPlace } from '../project/data.ts'

export const secretEdits = (
  { team, project }: ProjectPlace,
  edits: readonly Edit[],
): SecretEdit[] => {
  const secrets = secretsOf(team, project)
  return edits.map(
    ({ op, key, scope, stagelet, type, file_path, bytes, target, secretId, fields }) => ({
      op,
      key,
      scope,
      stagelet,
      type,
      file_path,
      target,
      fields,
      hasValue: bytes !== undefined,
      name: secretId === undefined ? undefined : secrets.cell(secretId).value?.name,
      environments: secretId === undefined ? undefined : secrets.cell(secretId).value?.environments,
    }),
  )
}
