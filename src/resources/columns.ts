// Printer columns: the table of `kubectl get`, and with `-o wide` some more.
import * as z from 'zod'

/** A printer column as in a CRD: `jsonPath` is the simple dotted form that CRDs allow. */
export interface PrinterColumn {
  readonly name: string
  readonly type: 'string' | 'integer' | 'boolean' | 'date'
  readonly jsonPath: string
  readonly description: string
  /** Columns with a priority above 0 are shown only with `-o wide`. */
  readonly priority?: number
}

export const condition = (type: string, field: string): string =>
  `.status.conditions[?(@.type=="${type}")].${field}`

/**
 * Declared beside a field of `spec` by `.meta({ column: { name: 'Tier' } })`: the field becomes a
 * column.
 */
interface FieldColumn {
  readonly name: string
  readonly priority?: number
}

const columnTypes = new Set(['string', 'integer', 'boolean'])

/** The columns that are declared beside fields of `spec`. */
export const fieldColumns = (spec: z.ZodType): PrinterColumn[] => {
  const shape = spec instanceof z.ZodObject ? (spec.shape as Record<string, z.ZodType>) : {}
  return Object.entries(shape).flatMap(([field, schema]) => {
    const { column, description = '' } = (schema.meta() ?? {}) as {
      column?: FieldColumn
      description?: string
    }
    if (column === undefined) return []
    const { type } = z.toJSONSchema(schema, { io: 'input' })
    if (typeof type !== 'string' || !columnTypes.has(type))
      throw new Error(`${field} cannot be a column`)
    return [
      { ...column, type: type as PrinterColumn['type'], jsonPath: `.spec.${field}`, description },
    ]
  })
}

export const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since creation.',
}
