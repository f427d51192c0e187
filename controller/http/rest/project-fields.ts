// The fields of a project by their REST names, made from the schema of Project: a field that is added
// there is here too.
import { z } from 'zod'
import { projectSpec } from '../../../src/resources/project.ts'
import { plainSchema, snakeCase } from '../../../src/resources/field-names.ts'

type Shape = Record<string, z.ZodType>
type Fields = Readonly<Record<string, unknown>>

const shapeOf = (schema: z.ZodType): Shape | undefined => {
  const plain = plainSchema(schema)
  return plain instanceof z.ZodObject ? plain.shape : undefined
}

/** `accept` says what a field of the request may be. */
const restShape = (shape: Shape, accept: (schema: z.ZodType) => z.ZodType): Shape =>
  Object.fromEntries(
    Object.entries(shape).map(([key, schema]) => {
      const inner = shapeOf(schema)
      const own =
        inner === undefined ? plainSchema(schema) : z.strictObject(restShape(inner, accept))
      return [snakeCase(key), accept(own.describe(schema.description ?? ''))]
    }),
  )

export const projectCreateShape = restShape(projectSpec.shape, (schema) => schema.optional())
/** `null` takes a field away. */
export const projectUpdateShape = restShape(projectSpec.shape, (schema) =>
  schema.nullable().optional(),
)

/** `spec` with what the request gives: fields within a group that it does not name stay. */
export const withProjectInput = (
  spec: Fields,
  input: Fields,
  shape: Shape = projectSpec.shape,
): Record<string, unknown> => {
  const next: Record<string, unknown> = { ...spec }
  for (const [key, schema] of Object.entries(shape)) {
    const given = input[snakeCase(key)]
    const inner = shapeOf(schema)
    if (given === undefined) continue
    if (given === null) Reflect.deleteProperty(next, key)
    else if (inner === undefined) next[key] = given
    else next[key] = withProjectInput((next[key] ?? {}) as Fields, given as Fields, inner)
  }
  return next
}

/** What an answer shows of a spec. */
export const shownProject = (
  spec: Fields,
  shape: Shape = projectSpec.shape,
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(shape)
      .filter(([key]) => spec[key] !== undefined)
      .map(([key, schema]) => {
        const inner = shapeOf(schema)
        const value = inner === undefined ? spec[key] : shownProject(spec[key] as Fields, inner)
        return [snakeCase(key), value]
      }),
  )
