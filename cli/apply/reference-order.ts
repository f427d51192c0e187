// The order in which secrets must be written one by one: the server refuses a reference to a missing
// secret.
import type { KubeObject } from '../../src/resources/meta.ts'
import { valueBytes } from '../../src/kinds/secret/value.ts'
import { parseTemplate } from '../../src/kinds/secret/value-template.ts'
import { specOf } from '../../src/kinds/typed.ts'

/** Keys that the value refers to, if it can be read here: a sealed one cannot. */
const keysOf = (object: KubeObject): readonly string[] => {
  const bytes = valueBytes(specOf('StagelySecret', object))
  const template = bytes === undefined ? '' : parseTemplate(bytes)
  if (typeof template === 'string') return []
  return template.references.map((name) => name.slice(name.indexOf('/') + 1))
}

const refers = (object: KubeObject): boolean =>
  object.kind === 'StagelySecret' && specOf('StagelySecret', object).references === true

/** Stable: secrets without references first, then each one after those that it refers to. */
export const inReferenceOrder = (objects: readonly KubeObject[]): KubeObject[] => {
  const referring = objects.filter(refers)
  const ordered = objects.filter((object) => !refers(object))
  const visited = new Set<KubeObject>()
  const place = (object: KubeObject): void => {
    if (visited.has(object)) return
    visited.add(object)
    const keys = keysOf(object)
    for (const other of referring)
      if (keys.includes(specOf('StagelySecret', other).key)) place(other)
    ordered.push(object)
  }
  for (const object of referring)
    if (specOf('StagelySecret', object).sealedValue === undefined) place(object)
  for (const object of referring) place(object)
  return ordered
}

/** The same order in groups: what is in one group refers to nothing else in it, and may be written at once. */
export const inReferenceGroups = (objects: readonly KubeObject[]): KubeObject[][] => {
  const depthOfKey = new Map<string, number>()
  const groups: KubeObject[][] = []
  for (const object of inReferenceOrder(objects)) {
    const isSecret = object.kind === 'StagelySecret'
    const keys = refers(object) ? keysOf(object) : []
    const below = keys.map((key) => depthOfKey.get(key) ?? 0)
    const depth = refers(object) ? 1 + Math.max(0, ...below) : 0
    if (isSecret && depth > 0) {
      const { key } = specOf('StagelySecret', object)
      depthOfKey.set(key, Math.max(depth, depthOfKey.get(key) ?? 0))
    }
    ;(groups[depth] ??= []).push(object)
  }
  return groups.filter((group) => group !== undefined)
}
