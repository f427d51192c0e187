// An AccessPolicy guards the values of projects: a person reads one only by an AccessRequest that others have approved.
import * as z from 'zod'
import { teamRoles } from '../../access/team-roles.ts'
import type { Fault } from '../../kernel/errors.ts'
import { duration, durationMs } from '../../resources/duration.ts'
import { count, limits, instant } from '../../resources/limits.ts'
import { environmentName } from '../shared/environment.ts'
import { conditionsSchema, nameOfKind } from '../../resources/schema-parts.ts'

/** Roles whose holders are people who may be asked. */
const approverRoles = teamRoles.filter((role) => role !== 'deployer')

const userName = z.string().min(1).max(limits.name)

export const accessPolicySpec = z.strictObject({
  projects: z
    .array(nameOfKind('Project'))
    .min(1)
    .max(100)
    .describe('The projects whose values are guarded.'),
  environments: z
    .array(environmentName)
    .min(1)
    .max(16)
    .optional()
    .describe(
      'Only what counts in these environments, also where it counts in others too. The whole projects when absent.',
    ),
  guard: z
    .array(z.enum(['Reveal']))
    .min(1)
    .max(1)
    .optional()
    .describe('What needs a request. Reveal, also when absent: to read values, by any way.'),
  request: z
    .strictObject({
      maxDuration: duration.optional().describe('Longest time of a grant; 1h when absent.'),
      expiresAfter: duration
        .optional()
        .describe('A request that is not approved ends after this time; 24h when absent.'),
      startWithin: duration
        .optional()
        .describe(
          'The first use comes within this time of the approval; 1h when absent. The time of a grant runs from the first use.',
        ),
    })
    .optional()
    .describe('Times of requests.'),
  approvals: z
    .strictObject({
      count: z
        .int()
        .min(1)
        .max(5)
        .optional()
        .describe('How many approve a request; 1 when absent.'),
      roles: z
        .array(z.enum(approverRoles))
        .max(approverRoles.length)
        .optional()
        .describe('Who may approve: who has one of these roles in the team.'),
      users: z.array(userName).max(100).optional().describe('Who else may approve, by name.'),
    })
    .optional()
    .describe('Who approves. Owners and maintainers, where neither roles nor users are given.'),
  machines: z
    .array(userName)
    .max(100)
    .optional()
    .describe(
      'Names of machine tokens that may read values without a request. The token must be older than the last change of this policy.',
    ),
  afterUse: z
    .enum(['MarkDue', 'Rotate'])
    .optional()
    .describe(
      'When a grant that was used ends. Rotate: the Rotation of each value that was read starts. MarkDue, also when absent or without a Rotation: the secret says RotationDue.',
    ),
  breakGlass: z
    .strictObject({
      users: z
        .array(userName)
        .max(100)
        .describe('Who may read in an emergency without an approval, by name. Empty: nobody.'),
      maxDuration: duration.optional().describe('Longest time of an emergency; 30m when absent.'),
      reviewWithin: duration
        .optional()
        .describe('Another person records a review within this time; 72h when absent.'),
    })
    .optional()
    .describe('Emergencies. Absent: nobody may declare one.'),
})

export const accessPolicyStatus = z.strictObject({
  observedGeneration: count
    .optional()
    .describe('metadata.generation of the spec that this status describes.'),
  changedAt: instant.optional().describe('When the spec was changed last.'),
  approvers: count.optional().describe('How many people may approve.'),
  machinesWithout: z
    .array(z.string().max(limits.name))
    .max(limits.listed)
    .optional()
    .describe('Machine tokens that may read values by their role, and may not here.'),
  conditions: conditionsSchema,
})

export type AccessPolicySpec = z.infer<typeof accessPolicySpec>

interface AccessRules {
  readonly count: number
  readonly roles: readonly string[]
  readonly users: readonly string[]
  readonly machines: readonly string[]
  readonly maxMs: number
  readonly expiresAfterMs: number
  readonly startWithinMs: number
  readonly rotates: boolean
  readonly emergency: {
    readonly users: readonly string[]
    readonly maxMs: number
    readonly reviewWithinMs: number
  }
}

/** The spec with what counts where something is absent. */
export const rulesOfPolicy = (spec: AccessPolicySpec): AccessRules => {
  const { request = {}, approvals = {}, machines = [], afterUse, breakGlass } = spec
  const { roles, users } = approvals
  const usual = roles === undefined && users === undefined ? ['owner', 'maintainer'] : []
  return {
    count: approvals.count ?? 1,
    roles: roles ?? usual,
    users: users ?? [],
    machines,
    maxMs: durationMs(request.maxDuration ?? '1h'),
    expiresAfterMs: durationMs(request.expiresAfter ?? '24h'),
    startWithinMs: durationMs(request.startWithin ?? '1h'),
    rotates: afterUse === 'Rotate',
    emergency: {
      users: breakGlass?.users ?? [],
      maxMs: durationMs(breakGlass?.maxDuration ?? '30m'),
      reviewWithinMs: durationMs(breakGlass?.reviewWithin ?? '72h'),
    },
  }
}

const mostMs = 24 * 3_600_000

/** Rules that the schema cannot express. */
export const checkAccessPolicy = (spec: Record<string, unknown>): Fault[] => {
  const { request, breakGlass } = spec as Partial<AccessPolicySpec>
  const times = {
    'spec.request.maxDuration': request?.maxDuration,
    'spec.breakGlass.maxDuration': breakGlass?.maxDuration,
  }
  return Object.entries(times).flatMap(([field, time]): Fault[] =>
    time === undefined || durationMs(time) <= mostMs
      ? []
      : [{ field, reason: 'FieldValueInvalid', message: 'Invalid value: must be 24h at most' }],
  )
}
