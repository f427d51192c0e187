// Rotations in the names of REST.
import * as z from 'zod'
import type { AuditRecord } from '../../../src/audit/lines.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { fieldsOf, hidden } from '../../../src/resources/schemas/rest-fields.ts'
import { evidenceSpec } from '../../../src/kinds/rotation/status.ts'
import {
  rotationSpec,
  rotationStatus,
  type RotationSpec,
} from '../../../src/kinds/rotation/schema.ts'
import { objectShape, ofEveryStatus } from './kinds.ts'
import { timeSchema } from './representations.ts'
import { answerOf, answerShape, computed } from './shapes.ts'

/** The project is the one in the path. */
export const rotationFields = fieldsOf(rotationSpec, {
  projectRef: hidden,
  paused: { absent: false },
})

export const rotationSchema = z
  .strictObject(
    objectShape('Rotation', {
      project: computed(
        z.string().describe('The project whose secrets get the credential.'),
        ({ spec }: KubeObject<RotationSpec>) => spec?.projectRef.name ?? '',
      ),
      ...answerShape(rotationFields, ['spec']),
      ...answerShape(
        fieldsOf(rotationStatus, {
          ...ofEveryStatus,
          now: hidden,
          withoutProof: hidden,
          hasOld: hidden,
          backFrom: hidden,
          oldIsLogin: hidden,
          provenRuns: hidden,
          illBefore: hidden,
          judged: hidden,
          provingSince: hidden,
          revokeStartedAt: hidden,
          ownSlots: hidden,
          phase: { absent: 'Idle' },
          attempt: { absent: 0 },
          blockedBy: { absent: [] },
          evidence: { absent: [] },
          released: { absent: [] },
          versions: { absent: {} },
        }),
        ['status'],
      ),
    }),
  )
  .describe('Changes a credential, and ends the old one when nothing runs with it.')
export const toRotation = answerOf(rotationSchema)

/** One service of one stagelet that does not run the new credential. */
export const breakSchema = z.strictObject({
  stagelet: z.string(),
  service: z.string().describe('`?` for a released stack of which nobody knows what runs.'),
  released_at: timeSchema
    .optional()
    .describe('When the stack was released; nobody has seen it since. Absent for one that is not.'),
  containers: z.int().optional().describe('Absent while nobody sees them.'),
})

export const stepSchema = z
  .strictObject({
    at: timeSchema,
    attempt: z.int(),
    from: z.string().optional().describe('Phase before.'),
    to: z.string().optional().describe('Phase after.'),
    step: z.string().optional(),
    what: z
      .string()
      .optional()
      .describe('Such as CredentialSet, RotationProven, CredentialRevoked.'),
    message: z.string().optional(),
    evidence: z
      .array(evidenceSpec)
      .optional()
      .describe('With RotationProven: where every container was seen to run the new credential.'),
  })
  .describe('One step of a rotation, as the audit log has it.')

export const toStep = ({ at, detail }: AuditRecord): z.infer<typeof stepSchema> => {
  const { attempt, from, to, step, what, message, evidence } = (detail ?? {}) as Partial<
    z.infer<typeof stepSchema>
  >
  const fields = { from, to, step, what, message, evidence }
  return {
    at,
    attempt: attempt ?? 0,
    ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
  }
}
