// A kind: its names, its schemas, what a write checks, and its columns. Each is a folder of src/kinds.
import type * as z from 'zod'
import type { Fault } from '../kernel/errors.ts'
import type { PrinterColumn } from './columns.ts'
import type { KindNames } from './kind-names.ts'

/** Faults that no schema can say, of a spec that its schema accepts. */
type Check = (spec: Record<string, unknown>) => Fault[]

interface Parts {
  readonly spec: z.ZodType
  readonly status?: z.ZodType
  readonly check?: Check
  readonly columns: readonly PrinterColumn[]
}

export interface Kind extends KindNames, Parts {}

interface Definition extends Parts {
  readonly names: KindNames
  /** True: a spec is there always, though each of its fields may be absent. */
  readonly needsSpec?: true
}

export const defineKind = <const D extends Definition>({
  names,
  ...parts
}: D): D['names'] & Omit<D, 'names'> => ({ ...names, ...parts })
