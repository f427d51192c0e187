// The parts of a value that can be owned separately, each with its step in a field path.
import { isRecord } from '../kernel/record.ts'
import type { Shape } from './shape.ts'

export type Fields = Record<string, unknown>

export const isAbsent = (value: unknown): value is null | undefined =>
  value === undefined || value === null

export interface Child {
  readonly value: unknown
  readonly shape: Shape
}

export const leaf: Shape = { form: 'leaf' }

export const fieldStep = (name: string): string => `f:${name}`
export const nameOfStep = (step: string): string => step.slice(2)
const valueStep = (value: unknown): string => `v:${JSON.stringify(value)}`

/** The step of a list item, made of its key fields; undefined when one is missing. */
export const itemStep = (keys: readonly string[], item: unknown): string | undefined => {
  if (!isRecord(item) || keys.some((key) => isAbsent(item[key]))) return undefined
  const [only] = keys
  if (keys.length === 1) return `k:{${JSON.stringify(only)}:${JSON.stringify(item[only!])}}`
  return `k:${JSON.stringify(Object.fromEntries([...keys].sort().map((key) => [key, item[key]])))}`
}

/**
 * The separately owned parts; undefined: the value is owned as a whole (a leaf, or of another type than
 * its shape says).
 */
export const childrenOf = (shape: Shape, value: unknown): Map<string, Child> | undefined => {
  switch (shape.form) {
    case 'leaf':
      return undefined
    case 'struct':
    case 'map':
      if (!isRecord(value)) return undefined
      return new Map(
        Object.entries(value).map(([name, child]) => [
          fieldStep(name),
          { value: child, shape: shapeAt(shape, name) ?? leaf },
        ]),
      )
    case 'set':
      if (!Array.isArray(value)) return undefined
      return new Map(
        (value as unknown[]).map((item) => [valueStep(item), { value: item, shape: leaf }]),
      )
    case 'items': {
      if (!Array.isArray(value)) return undefined
      const children = new Map<string, Child>()
      for (const item of value as unknown[]) {
        const step = itemStep(shape.keys, item)
        if (step === undefined) return undefined
        children.set(step, { value: item, shape: shape.item })
      }
      return children
    }
  }
}

/** Shape of a named field; undefined when the schema has no such field. */
export const shapeAt = (shape: Shape, name: string): Shape | undefined => {
  if (shape.form === 'struct') return shape.fields.get(name)
  return shape.form === 'map' ? shape.value : undefined
}
