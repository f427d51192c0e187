// The secrets of a preview: those that its template generates, and the plain values that its caller sets. Pure.
import { StagelyError } from '../../src/kernel/errors.ts'
import { secretName } from '../../src/kinds/secret/name.ts'
import { apiVersion, type KubeObject } from '../../src/resources/meta.ts'
import type { Typed } from '../../src/kinds/typed.ts'
import { everyService, isForAll } from '../../src/secrets/place.ts'

type Secret = Typed<'StagelySecret'>

interface Stored {
  readonly project: Typed<'Project'>
  readonly secrets: readonly Secret[]
  readonly isSecretName: (name: string) => boolean
}

interface Wanted {
  /** Name of the stagelet. */
  readonly stagelet: string
  readonly generate: readonly string[]
  readonly set: Readonly<Record<string, string>>
}

export interface PlannedSecret {
  readonly before: Secret | undefined
  readonly after: KubeObject
}

/** A generated value stays, and a plain one is set again: an equal value makes no version. */
export const planSecrets = (
  { project, secrets, isSecretName }: Stored,
  { stagelet, generate, set }: Wanted,
): PlannedSecret[] => {
  const { name: projectName, namespace = '' } = project.metadata
  const own = secrets.filter(({ spec }) => spec.stageletRef?.name === stagelet && isForAll(spec))
  const ownOf = (key: string): Secret | undefined => own.find(({ spec }) => spec.key === key)
  const made = (key: string, value: object): PlannedSecret => {
    const short = secretName({ key, stagelet })
    const name = isSecretName(short) ? `${short}.${projectName}`.slice(0, 253) : short
    const place = { projectRef: { name: projectName }, key, scope: everyService }
    const spec = { ...place, stageletRef: { name: stagelet }, ...value }
    const metadata = { name, namespace }
    return { before: undefined, after: { apiVersion, kind: 'StagelySecret', metadata, spec } }
  }
  const masked = Object.keys(set).filter((key) => {
    const stored = ownOf(key)
    return stored !== undefined && stored.spec.visibility !== 'Plain'
  })
  if (masked.length > 0)
    throw new StagelyError(
      'Conflict',
      `stagelet ${JSON.stringify(stagelet)} has a masked secret of its own for ${masked.join(', ')}: --set is for plain values. "stagely secrets set KEY --stagelet ${stagelet}" gives it another value`,
    )
  return [
    ...generate
      .filter((key) => ownOf(key) === undefined)
      .map((key) => made(key, { valueFrom: { generate: {} } })),
    ...Object.entries(set).map(([key, value]): PlannedSecret => {
      const before = ownOf(key)
      if (before === undefined) return made(key, { visibility: 'Plain', value })
      return { before, after: { ...before, spec: { ...before.spec, value } } }
    }),
  ]
}
