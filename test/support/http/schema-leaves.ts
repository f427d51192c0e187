// The leaves of a zod schema, each with its path: what a test asks of every field of a kind or a message.
import type * as z from 'zod'

export interface Leaf {
  /** `services[].name`; `{}` is an entry of a map, `{key}` its key. */
  readonly path: string
  readonly schema: z.ZodType
}

interface Def {
  readonly type: string
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly element?: z.ZodType
  readonly items?: readonly z.ZodType[]
  readonly innerType?: z.ZodType
  readonly options?: readonly z.ZodType[]
  readonly keyType?: z.ZodType
  readonly valueType?: z.ZodType
  readonly in?: z.ZodType
}

const joined = (path: string, part: string): string => (path === '' ? part : `${path}.${part}`)

export const leavesOf = (schema: z.ZodType, path = ''): Leaf[] => {
  const def = schema._zod.def as unknown as Def
  switch (def.type) {
    case 'object':
      return Object.entries(def.shape!).flatMap(([name, field]) =>
        leavesOf(field, joined(path, name)),
      )
    case 'array':
      return leavesOf(def.element!, `${path}[]`)
    case 'tuple':
      return def.items!.flatMap((item, i) => leavesOf(item, `${path}[${i}]`))
    case 'record':
      return [...leavesOf(def.keyType!, `${path}{key}`), ...leavesOf(def.valueType!, `${path}{}`)]
    case 'union':
      return def.options!.flatMap((option) => leavesOf(option, path))
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
      return leavesOf(def.innerType!, path)
    case 'pipe':
      return leavesOf(def.in!, path)
    default:
      return [{ path, schema }]
  }
}

export const typeOf = (schema: z.ZodType): string => schema._zod.def.type
