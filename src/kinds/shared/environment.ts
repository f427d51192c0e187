// Environments of a project: such as production, staging and preview. See ADR 0080.
import * as z from 'zod'
import type { Fault } from '../../kernel/errors.ts'
import { isRecord } from '../../kernel/record.ts'
import { withHint } from '../../search/near-name.ts'
import { limits, name } from '../../resources/limits.ts'

export const environmentName = z
  .string()
  .max(63)
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    'must be lower case letters, digits and "-", beginning and ending with a letter or a digit',
  )

/** Type of the condition of a Project whose environments have to differ. */
export const separatedCondition = 'Separated'

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
  differsFrom: z
    .array(environmentName)
    .min(1)
    .max(limits.environments)
    .optional()
    .describe(
      'Environments such as production: no key has here a value that any key has there. A write that would make one equal is refused (409 SameAsProduction). Values under 8 bytes, and those that are plain there, may be equal.',
    ),
  allowEqual: z
    .array(name.min(1))
    .max(limits.keys)
    .optional()
    .describe(
      'Keys that may have equal values nevertheless, such as LOG_LEVEL: in both environments the key is one of these.',
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

const isText = (value: unknown): value is string => typeof value === 'string'

/** `differsFrom` names other environments of the list. */
const faultsOfRule = (
  environment: Readonly<Record<string, unknown>>,
  at: number,
  listed: readonly string[],
): Fault[] => {
  const { name: own, differsFrom } = environment
  const field = `spec.environments[${at}].differsFrom`
  if (!Array.isArray(differsFrom)) return []
  const others = listed.filter((other) => other !== own)
  return [
    ...faultsOfTwice(differsFrom, field),
    ...differsFrom.flatMap((from: unknown, place): Fault[] =>
      !isText(from) || others.includes(from)
        ? []
        : [
            {
              field: `${field}[${place}]`,
              reason: 'FieldValueNotSupported',
              message: `Unsupported value: other environments of the project: ${withHint(from, others)}`,
            },
          ],
    ),
  ]
}

/** Faults of environments that the schema cannot express. */
export const checkEnvironments = (environments: unknown): Fault[] => {
  if (!Array.isArray(environments)) return []
  const names = environments.map((environment: unknown) =>
    isRecord(environment) ? environment.name : undefined,
  )
  return [
    ...faultsOfTwice(names, 'spec.environments'),
    ...environments.flatMap((environment: unknown, at) =>
      isRecord(environment) ? faultsOfRule(environment, at, names.filter(isText)) : [],
    ),
  ]
}
