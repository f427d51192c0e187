// An AccessRequest: a person asks to read guarded values for a while. Its spec never changes. See ADR 0086.
import * as z from 'zod'
import { duration } from '../../resources/duration.ts'
import { count, digestText, limits, instant, word } from '../../resources/limits.ts'
import { environmentName } from '../shared/environment.ts'
import { objectName, refSchema } from '../../resources/schema-parts.ts'

const reasonLength = 1_000

export const accessRequestSpec = z.strictObject({
  projectRef: refSchema('Project').describe('Project whose values are asked for.'),
  secrets: z
    .array(
      z.strictObject({
        key: z.string().min(1).max(limits.name).describe('Variable name.'),
        scope: z
          .string()
          .min(1)
          .max(limits.name)
          .optional()
          .describe('global, or a service. Each scope when absent.'),
      }),
    )
    .min(1)
    .max(100)
    .optional()
    .describe('What is asked for. Absent: all guarded secrets of the project.'),
  environment: environmentName
    .optional()
    .describe('Only what counts in this environment of the project.'),
  duration: duration
    .optional()
    .describe('For how long, from the first use. The longest time of the policy when absent.'),
  reason: z
    .string()
    .max(reasonLength)
    .refine((text) => text.trim().length >= 3, 'must say why, in at least 3 letters')
    .describe('Why, for those who approve and for auditors.'),
  emergency: z
    .boolean()
    .optional()
    .describe(
      'True: active at once, for who may declare an emergency. All owners are told, and another person reviews it.',
    ),
})

export const accessStates = [
  'Pending',
  'Approved',
  'Active',
  'Ended',
  'Denied',
  'Expired',
  'Cancelled',
  'Revoked',
] as const
export type AccessState = (typeof accessStates)[number]

const person = z.strictObject({
  id: word.describe('Id of the user.'),
  name: z.string().max(limits.name).describe('Name of the user.'),
})

export const decisionActions = ['Approve', 'Deny', 'Cancel', 'Revoke', 'Review'] as const

const decisionSchema = z.strictObject({
  action: z.enum(decisionActions).describe('What somebody did with the request.'),
  by: person.describe('Who did it.'),
  at: instant.describe('When.'),
  digest: digestText
    .optional()
    .describe('Of an approval: digest of the request, the secrets and the policies of that time.'),
  outcome: z
    .enum(['Justified', 'Misuse'])
    .optional()
    .describe('Of a review: whether the emergency was one.'),
  note: z.string().max(reasonLength).optional().describe('Why.'),
})

const secretSchema = z.strictObject({
  name: objectName.describe('Name of the StagelySecret.'),
  uid: word.describe('Uid of the StagelySecret.'),
  key: z.string().max(limits.name).describe('Variable name.'),
  scope: z.string().max(limits.name).describe('global, or a service.'),
  version: count.describe('Version: at the request, or that was read.'),
})

export const accessRequestStatus = z.strictObject({
  state: z.enum(accessStates).optional().describe('Where the request stands.'),
  message: z
    .string()
    .max(limits.message)
    .optional()
    .describe('Why, and what to do next. Never a secret value.'),
  requester: person.optional().describe('Who asks.'),
  salt: word.optional().describe('Random text of the digests. An erasure of the person drops it.'),
  policies: z
    .array(objectName)
    .max(limits.listed)
    .optional()
    .describe('The policies that guard what is asked for.'),
  secrets: z
    .array(secretSchema)
    .max(limits.entries)
    .optional()
    .describe('What is asked for, with what its values refer to.'),
  durationSeconds: count.optional().describe('For how long, from the first use.'),
  decisions: z
    .array(decisionSchema)
    .max(limits.listed)
    .optional()
    .describe('What people did with the request, in order.'),
  approvals: z
    .strictObject({
      counted: count.describe('Approvals that count now.'),
      needed: count.describe('How many are needed.'),
      possible: count.describe('How many people may approve.'),
    })
    .optional()
    .describe('How many approvals there are.'),
  expiresAt: instant.optional().describe('Until when it can be approved.'),
  approvedAt: instant.optional().describe('When the last approval that it needed came.'),
  startBy: instant.optional().describe('Until when the first use has to come.'),
  startedAt: instant.optional().describe('When a value was read first.'),
  endsAt: instant.optional().describe('When the grant ends by itself.'),
  endedAt: instant.optional().describe('When it came to an end, whatever the end.'),
  uses: count.optional().describe('How often values were read.'),
  lastUsedAt: instant.optional().describe('When a value was read last.'),
  read: z.array(secretSchema).max(limits.entries).optional().describe('The values that were read.'),
  reviewBy: instant.optional().describe('Of an emergency: until when a review is due.'),
  after: z
    .array(
      z.strictObject({
        name: objectName.describe('Name of the StagelySecret.'),
        action: z
          .enum(['Rotating', 'Due', 'Changed'])
          .describe(
            'Rotating: its Rotation was started. Due: it says RotationDue. Changed: it had another value by then.',
          ),
        rotation: objectName.optional().describe('Name of the Rotation.'),
      }),
    )
    .max(limits.entries)
    .optional()
    .describe('What followed from the use, for each value that was read.'),
})

export type AccessRequestStatus = z.infer<typeof accessRequestStatus>
export type AccessDecision = z.infer<typeof decisionSchema>
export type RequestedSecret = z.infer<typeof secretSchema>
