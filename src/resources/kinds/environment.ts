// Environments of a project: such as production, staging and preview. See ADR 0080.
import * as z from 'zod'
import type { Fault } from '../../kernel/errors.ts'
import { isRecord } from '../../kernel/record.ts'
import { limits } from '../limits.ts'

export const environmentName = z
  .string()
  .max(63)
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    'must be lower case letters, digits and "-", beginning and ending with a letter or a digit',
  )

export const namedTwice = 'an environment is named twice'

const environmentSpec = z.strictObject({
  name: environmentName.describe('Name, such as production.'),
  inherits: z
    .enum(['Project', 'Nothing'])
    .default('Project')
    .describe(
      'Nothing: its stagelets see no secret of the whole project, only what names their environment, or them.',
    ),
  protected: z
    .boolean()
    .optional()
    .describe(
      'True: only an owner of the team, or a machine or member that is narrowed to this environment by name, writes, reveals, deploys or deletes here.',
    ),
})

export type EnvironmentSpec = z.output<typeof environmentSpec>

export const environmentsSpec = z
  .array(environmentSpec)
  .max(limits.environments)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })

/** Faults of names that a list holds twice. */
export const faultsOfTwice = (names: unknown, field: string): Fault[] =>
  !Array.isArray(names)
    ? []
    : names.flatMap((name: unknown, at): Fault[] =>
        names.indexOf(name) < at
          ? [
              {
                field: `${field}[${at}]`,
                reason: 'FieldValueDuplicate',
                message: `Duplicate value: ${namedTwice}`,
              },
            ]
          : [],
      )

/** Rules of a Project that the schema cannot express. */
export const checkProject = (spec: Readonly<Record<string, unknown>>): Fault[] => {
  const { environments } = spec
  if (!Array.isArray(environments)) return []
  const names = environments.map((environment: unknown) =>
    isRecord(environment) ? environment.name : undefined,
  )
  return faultsOfTwice(names, 'spec.environments')
}
