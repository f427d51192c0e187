// What a path in a schema is a path of. Who may name a path of a machine follows from this (src/store/places/folders.ts).
import * as z from 'zod'
import { path } from './limits.ts'
import { plainSchema } from './schema-parts.ts'
import { textsIn } from './texts.ts'

/**
 * Of the machine of an agent. `folder`: where a stack lies; `inFolder`: relative to that; `source`: a folder whose content
 * is copied into it; `other`: whatever else is there.
 */
const machineRoles = ['folder', 'inFolder', 'source', 'other'] as const
type MachineRole = (typeof machineRoles)[number]

/** Texts whose names look like those of such paths, and by which nothing of a machine is reached. */
type Elsewhere = 'container' | 'composeFile' | 'rights' | 'noPath'

const meanings = z.registry<{ is: MachineRole | Elsewhere }>()

/** Says what the text is a path of. Before `describe` and `optional`: each field has a schema of its own. */
export const pathIn = <S extends z.ZodType>(is: MachineRole | Elsewhere, schema: S): S => {
  meanings.add(schema, { is })
  return schema
}

export const hostPath = (role: MachineRole): z.ZodString =>
  pathIn(role, path.regex(/^\//, 'must be an absolute path on the agent’s machine'))

export const containerPath = (): z.ZodString =>
  pathIn('container', path.regex(/^\//, 'must be an absolute path in the container'))

export const meaningOf = (schema: z.ZodType): MachineRole | Elsewhere | undefined =>
  meanings.get(plainSchema(schema))?.is

export interface MachinePath {
  readonly role: MachineRole
  readonly path: string
}

/** The paths of a machine that a value of the schema names. */
export const machinePathsIn = (schema: z.ZodType, value: unknown): MachinePath[] =>
  textsIn(schema, value).flatMap(({ schema: own, text: path }) => {
    const role = machineRoles.find((one) => one === meaningOf(own))
    return role === undefined ? [] : [{ role, path }]
  })
