// Which secrets of a change get their values later: a review knows only values that are there.
import type { ReviewChange } from '../../src/manifests/review.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { specOf } from '../../src/kinds/typed.ts'

/** `${USER}, ${db/PASSWORD}` */
export const referencesText = (references: readonly string[]): string =>
  references.map((key) => `\${${key}}`).join(', ')

interface Giver {
  readonly from: string
  readonly secrets: readonly string[]
}

const giverOf = (
  object: KubeObject,
  { action, fields, awaits }: ReviewChange,
): Giver | undefined => {
  const { name } = object.metadata
  if (awaits !== undefined)
    return { from: `references to ${referencesText(awaits)}`, secrets: [name] }
  if (object.kind === 'Rotation' && action === 'Create')
    return {
      from: `Rotation "${name}"`,
      secrets: Object.values(specOf('Rotation', object).outputs),
    }
  const isNew = action === 'Create' || fields.some((field) => field.startsWith('spec.valueFrom'))
  if (object.kind !== 'StagelySecret' || !isNew) return undefined
  const { external, rotation } = specOf('StagelySecret', object).valueFrom ?? {}
  if (external !== undefined) return { from: `store "${external.store}"`, secrets: [name] }
  return rotation && { from: `Rotation "${rotation.name}"`, secrets: [name] }
}

export const valuesToCome = (
  changes: readonly ReviewChange[],
  objects: readonly KubeObject[],
): string[] => {
  const byGiver = new Map<string, Set<string>>()
  for (const change of changes) {
    const object = objects[change.index]
    const giver = object && giverOf(object, change)
    if (giver === undefined) continue
    const secrets = byGiver.get(giver.from) ?? new Set()
    byGiver.set(giver.from, new Set([...secrets, ...giver.secrets]))
  }
  if (byGiver.size === 0) return []
  return [
    'Values to come; each service that sees one is re-created then:',
    ...[...byGiver].map(([from, secrets]) => `    ${from}: ${[...secrets].join(', ')}`),
  ]
}
