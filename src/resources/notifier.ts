// A Notifier tells people what happened: by a webhook, or in Slack.
import * as z from 'zod'
import type { Fault } from '../kernel/errors.ts'
import { conditionsSchema, objectName, refSchema } from './status.ts'

/** What may be told. Each is an event of an object, and is told in the commit that records the event. */
export const noticeReasons = [
  'Expiring',
  'Expired',
  'RotationDue',
  'RolledBack',
  'AgentLost',
  'Drifted',
] as const
export type NoticeReason = (typeof noticeReasons)[number]

export const oneChannel = 'give exactly one of webhook and slack'

const webhookSpec = z.strictObject({
  url: z
    .string()
    .max(2048)
    .regex(
      /^https?:\/\/[^\s@]+$/,
      'must be a URL such as https://hooks.example.com/s, without a password',
    )
    .describe(
      'Where notices are posted. Plain http only where the operator of the controller allows the address.',
    ),
  signingKeyRef: refSchema('StagelySecret')
    .optional()
    .describe(
      'Secret (audience: Controller) whose value signs each notice, as Standard Webhooks say: whsec_ and base64, or any text.',
    ),
})

export const notifierSpec = z
  .strictObject({
    projects: z
      .array(objectName)
      .min(1)
      .max(100)
      .optional()
      .describe('Only what happens in these projects; all of the namespace when absent.'),
    reasons: z
      .array(z.enum(noticeReasons))
      .min(1)
      .max(noticeReasons.length)
      .describe('What is told.'),
    webhook: webhookSpec.optional().describe('Notices as JSON, posted to a URL.'),
    slack: z
      .strictObject({
        urlRef: refSchema('StagelySecret').describe(
          'Secret (audience: Controller) whose value is the URL of an incoming webhook.',
        ),
      })
      .optional()
      .describe('Notices as messages in Slack.'),
  })
  .meta({
    'x-kubernetes-validations': [
      { rule: 'has(self.webhook) != has(self.slack)', message: oneChannel },
    ],
  })

export const notifierStatus = z.strictObject({
  observedGeneration: z
    .int()
    .optional()
    .describe('metadata.generation of the spec that this status describes.'),
  lastDeliveredAt: z
    .string()
    .meta({ format: 'date-time' })
    .optional()
    .describe('When a notice was taken last.'),
  conditions: conditionsSchema,
})

export type NotifierSpec = z.infer<typeof notifierSpec>
export type NotifierStatus = z.infer<typeof notifierStatus>

/** Rules that the schema cannot express. */
export const checkNotifier = ({ webhook, slack }: Record<string, unknown>): Fault[] => {
  if ((webhook === undefined) !== (slack === undefined)) return []
  if (webhook === undefined)
    return [
      { field: 'spec', reason: 'FieldValueRequired', message: `Required value: ${oneChannel}` },
    ]
  return [
    { field: 'spec.slack', reason: 'FieldValueForbidden', message: `Forbidden: ${oneChannel}` },
  ]
}
