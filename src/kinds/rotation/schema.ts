// A Rotation makes new credentials at their time, and ends the old ones when nothing runs with them any more.
import * as z from 'zod'
import {
  count,
  limits,
  mapOf,
  message,
  name,
  twoNames,
  word,
  instant,
} from '../../resources/limits.ts'
import { duration } from '../../resources/duration.ts'
import {
  awsIamRotator,
  generateRotator,
  mariadbRotator,
  postgresRotator,
  redisRotator,
  webhookRotator,
} from './rotators.ts'
import {
  blockedBySpec,
  causes,
  evidenceSpec,
  provenRunsSpec,
  releasedSpec,
  requestSpec,
  restoredSpec,
  useSpec,
} from './status.ts'
import { conditionsSchema, nameOfKind, refSchema } from '../../resources/schema-parts.ts'

export type {
  BlockedBy,
  Cause,
  Evidence,
  ReleasedStack,
  Restored,
  RotationRequest,
} from './status.ts'

export const rotatorNames = [
  ...(['postgres', 'redis', 'generate', 'webhook', 'awsIam', 'mariadb'] as const),
] as const
export type RotatorName = (typeof rotatorNames)[number]
export const oneRotator = `give exactly one of ${rotatorNames.slice(0, -1).join(', ')} and mariadb`
export const awayNeedsTime = 'revokeAfter goes with away: RevokeAfter, and only with it'

const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const
const clockTime = z
  .string({ error: 'a time is text; quote it: "02:00"' })
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of the day in quotes, such as "02:00"')

const windowSpec = z.strictObject({
  days: z
    .array(z.enum(days))
    .min(1)
    .max(7)
    .optional()
    .describe('Days on which the window opens; every day when absent.'),
  from: clockTime.describe('When it opens, such as "02:00".'),
  to: clockTime.describe('When it closes; a time before "from" is one of the next day.'),
  timezone: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe('Time zone of the IANA database, such as Europe/Berlin; UTC when absent.'),
})

const scheduleSpec = z.strictObject({
  every: duration.describe('A new credential is made so long after the last one, such as 30d.'),
  window: windowSpec
    .optional()
    .describe('A rotation starts only while the window is open; at any time when absent.'),
})

const rotatorSpec = z
  .strictObject({
    postgres: postgresRotator.optional().describe('A login of Postgres: two roles take turns.'),
    redis: redisRotator.optional().describe('A password of a user of Redis or Valkey.'),
    generate: generateRotator
      .optional()
      .describe(
        'A random value that services share, such as a signing key. Outputs: current, previous, list.',
      ),
    webhook: webhookRotator
      .optional()
      .describe(
        'A service of your own makes and ends the credential. Outputs: as it answers them.',
      ),
    awsIam: awsIamRotator.optional().describe('An access key of a user of AWS IAM.'),
    mariadb: mariadbRotator
      .optional()
      .describe('A login of MariaDB or MySQL: two users take turns.'),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: `[${rotatorNames.map((name) => `has(self.${name})`).join(', ')}].filter(given, given).size() == 1`,
        message: oneRotator,
      },
    ],
  })

export const rotationSpec = z
  .strictObject({
    projectRef: refSchema('Project').describe('The project whose secrets get the credential.'),
    outputs: mapOf(nameOfKind('StagelySecret'), { most: limits.listed }).describe(
      'By output of the rotator, the StagelySecret that gets the value. That secret says valueFrom.rotation.',
    ),
    rotator: rotatorSpec.describe('What makes the credential. Exactly one.'),
    schedule: scheduleSpec
      .optional()
      .describe('When a new credential is made; only when somebody asks for it when absent.'),
    overlap: duration
      .default('10m')
      .describe('So long both credentials are valid after the new one is proven everywhere.'),
    away: z
      .enum(['Wait', 'RevokeAfter'])
      .default('Wait')
      .describe(
        'What happens while an agent is away. Wait: the old credential stays valid. RevokeAfter: it ends after revokeAfter, whatever runs there.',
      ),
    revokeAfter: duration
      .optional()
      .describe(
        'With away: RevokeAfter: how long agents that are away are waited for, such as 72h.',
      ),
    ended: z
      .enum(['Trust', 'Wait'])
      .optional()
      .describe(
        'What an ephemeral machine that was ended counts as. Trust, also when absent: nothing runs there. Wait: its stacks are waited for, as those that were released.',
      ),
    inPlace: z
      .boolean()
      .optional()
      .describe(
        'True: one login whose password is changed under running containers. They cannot connect anew until they are re-created.',
      ),
    paused: z
      .boolean()
      .optional()
      .describe('True: no rotation starts. One that has begun goes on to its end.'),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: "(has(self.away) && self.away == 'RevokeAfter') == has(self.revokeAfter)",
        message: awayNeedsTime,
        fieldPath: '.revokeAfter',
      },
    ],
  })

const phases = [
  ...(['Idle', 'Preparing', 'Setting', 'Testing', 'RollingOut'] as const),
  ...(['Proving', 'Overlapping', 'Revoking'] as const),
] as const
export type Phase = (typeof phases)[number]

export const rotationStatus = z.strictObject({
  observedGeneration: count
    .optional()
    .describe('metadata.generation of the spec that this status describes.'),
  phase: z.enum(phases).optional().describe('Where the rotation stands; Idle between two.'),
  step: z
    .enum(['Add', 'Switch', 'Remove', 'Back'])
    .optional()
    .describe('Of several rollouts of one rotation, the present one. Back: the old values again.'),
  attempt: count.optional().describe('Number of the present attempt, or of the last one.'),
  cause: z.enum(causes).optional().describe('What started the attempt.'),
  request: requestSpec.optional().describe('A rotation that somebody asked for.'),
  now: z.boolean().optional().describe('True: the attempt skips window and overlap.'),
  withoutProof: z
    .boolean()
    .optional()
    .describe('True: the attempt ends the old credential without a proof.'),
  startedAt: instant.optional().describe('When the attempt began.'),
  phaseSince: instant.optional().describe('When the phase began.'),
  tries: count.optional().describe('How often the effect of the phase has failed.'),
  retryAt: instant.optional().describe('When the effect is tried again.'),
  retryFor: message.optional().describe('Why it is tried again. Never a value.'),
  slot: word
    .optional()
    .describe(
      'The slot (such as a role) whose credential is in use; while an attempt is under way, the one that it replaces.',
    ),
  ownSlots: z
    .array(name)
    .max(limits.listed)
    .optional()
    .describe('Slots that this Rotation has set itself. Nobody else is to log in with them.'),
  candidateSlot: word.optional().describe('The slot that gets the new credential.'),
  backFrom: z
    .enum(['Add', 'Switch', 'Remove'])
    .optional()
    .describe('With step Back: the rollout that failed.'),
  hasOld: z.boolean().optional().describe('True: the attempt has an old credential to end.'),
  oldIsLogin: z
    .boolean()
    .optional()
    .describe(
      'True: of the old credential only the login is known (adopt), and no password. There is no way back to it.',
    ),
  revision: count.optional().describe('The revision of the project that carries the outputs.'),
  versions: mapOf(count, { most: limits.listed })
    .optional()
    .describe('By output, the version of its secret that this Rotation has made.'),
  judged: z
    .strictObject({
      versions: mapOf(count, { most: limits.listed }).describe(
        'By output, the version of its secret.',
      ),
      message: message.describe('Why it is not taken over. Never a value.'),
    })
    .optional()
    .describe('What the outputs held that this Rotation has not made, and could not take over.'),
  provenSince: instant
    .optional()
    .describe(
      'Since when everything runs the new credential, is healthy, and was not interrupted.',
    ),
  provenRuns: provenRunsSpec
    .optional()
    .describe('What ran when the proof began. It begins anew with each start of a container.'),
  illBefore: z
    .array(twoNames)
    .max(100)
    .optional()
    .describe(
      'As stagelet/service, those that were not well when the new values were written; the first 100. Their failures are not blamed on the new credential.',
    ),
  use: useSpec
    .optional()
    .describe(
      'What was seen of clients that log in with the old credential, also from outside; absent where nobody can know.',
    ),
  skipped: z
    .array(z.enum(phases))
    .max(phases.length)
    .optional()
    .describe(
      'Phases that the last rotation has not done: there was no old credential, or somebody asked to skip them.',
    ),
  provenAt: instant.optional().describe('When that was proven.'),
  endedAt: instant.optional().describe('When the last attempt ended, well or not.'),
  failures: count.optional().describe('How many attempts have failed since the last good one.'),
  failure: z
    .strictObject({
      reason: word.describe('One word for programs.'),
      message: message.describe('What failed, and where. Never a value.'),
    })
    .optional()
    .describe('Why the last attempt failed; absent after a good one.'),
  lastRotatedAt: instant.optional().describe('When a rotation was completed last.'),
  accepted: z
    .strictObject({
      at: instant.describe('When somebody answered last.'),
      is: z.enum(['accepted', 'refused', 'unknown']).describe('unknown: nobody has answered yet.'),
      triedAt: instant.optional().describe('When it was tried last, where nobody answered.'),
      why: message.optional().describe('Why nobody answered. Never a value.'),
    })
    .optional()
    .describe(
      'Whether what the outputs hold is still accepted: tried once a day between two attempts.',
    ),
  illAfter: z
    .array(twoNames)
    .max(100)
    .optional()
    .describe('As stagelet/service, those that fail within a day after the rotation has ended.'),
  nextAt: instant.optional().describe('When the next rotation starts.'),
  blockedBy: z.array(blockedBySpec).max(20).optional().describe('Who is waited for; the first 20.'),
  released: z
    .array(releasedSpec)
    .max(limits.stagelets)
    .optional()
    .describe(
      'Stacks that were released, and may run a credential of this Rotation. No old one is ended before they are seen again, or somebody ends it without a proof.',
    ),
  provingSince: instant.optional().describe('When the values of the present rollout were written.'),
  revokeStartedAt: instant
    .optional()
    .describe('When the end of the old credential began. After that the attempt only goes on.'),
  evidence: z
    .array(evidenceSpec)
    .max(50)
    .optional()
    .describe('What the proof of the last rotation was; the first 50 stagelets.'),
  restored: restoredSpec
    .optional()
    .describe(
      'After the restore of a backup: whether the credential of then is accepted. Until the next rotation has ended.',
    ),
  conditions: conditionsSchema,
})

export type RotationSpec = z.infer<typeof rotationSpec>
export type RotationStatus = z.infer<typeof rotationStatus>
export type RotationWindow = z.infer<typeof windowSpec>
export type RotationSchedule = z.infer<typeof scheduleSpec>
