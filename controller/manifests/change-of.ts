// What a manifest changes of the object that is stored, by the paths of fields. Pure.
import { defined } from '../../src/kernel/defined.ts'
import type { ReviewChange } from '../../src/manifests/review.ts'
import { annotations, type KubeObject } from '../../src/resources/meta.ts'
import { valueFields } from '../../src/kinds/secret/value.ts'
import { statusOf } from '../../src/kinds/typed.ts'
import { setOf, type Situation } from '../impact/situation.ts'
import type { AppliedManifest } from '../sources/apply-object.ts'

const hidden = new Set([
  ...valueFields.map((field) => `spec.${field}`),
  `metadata.annotations.${annotations.lastApplied}`,
])

/** Paths of the leaves of a patch. */
const leavesOf = (patch: unknown, path = ''): string[] => {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return [path]
  return Object.entries(patch).flatMap(([key, value]) =>
    leavesOf(value, path === '' ? key : `${path}.${key}`),
  )
}

export const changeOf = (
  index: number,
  applied: AppliedManifest,
  before: Situation,
  after: Situation,
): ReviewChange => {
  const { metadata, kind } = applied.after
  const moved = applied.before?.metadata.resourceVersion !== metadata.resourceVersion
  const valueChanged =
    kind === 'StagelySecret' && meaningIn(before, applied.after) !== meaningIn(after, applied.after)
  const fields = leavesOf(applied.patch).filter((field) => field !== '' && !hidden.has(field))
  const differs = valueChanged || fields.length > 0 || moved
  const awaits = kind === 'StagelySecret' ? statusOf(kind, applied.after).awaits : undefined
  return {
    index,
    kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    action: applied.before === undefined ? 'Create' : differs ? 'Update' : 'Unchanged',
    fields,
    valueChanged,
    ...(valueChanged && plainOf(applied)),
    ...(differs && defined({ awaits })),
  }
}

/** What everybody is shown of a secret, before and after. */
const plainOf = ({ before, after }: AppliedManifest): Pick<ReviewChange, 'plain'> => {
  const [was, is] = [
    before && statusOf('StagelySecret', before).value,
    statusOf('StagelySecret', after).value,
  ]
  return was === undefined && is === undefined ? {} : { plain: defined({ before: was, after: is }) }
}

/** One text can mean two values: as it is, or with references in it. */
const meaningIn = (situation: Situation, secret: KubeObject): string => {
  const entry = setOf(situation, secret).entries.find(({ name }) => name === secret.metadata.name)
  return JSON.stringify([entry?.valueDigest, entry?.references])
}
