// A Notifier tells people what happened: by a webhook, in a chat, or by e-mail.
import * as z from 'zod'
import { count, instant } from '../../resources/limits.ts'
import { webAddress } from '../../resources/holdings.ts'
import type { Fault } from '../../kernel/errors.ts'
import { conditionsSchema, nameOfKind, refSchema } from '../../resources/schema-parts.ts'

/** Reasons of notices. A notice belongs to an event of an object, and is stored by the same commit. */
export const noticeReasons = [
  'Expiring',
  'Expired',
  'RotationDue',
  'LeakFound',
  'RotationFailed',
  'RotationBlocked',
  'KeyRotationDue',
  'RolledBack',
  'Ending',
  'AgentLost',
  'AgentGone',
  'Drifted',
  'ManifestFault',
  'StoreStale',
  'StoreUnauthorized',
  'AccessRequested',
  'AccessDecided',
  'GlassBroken',
] as const
export type NoticeReason = (typeof noticeReasons)[number]

/** Chats that take a message at a URL, which is a secret. */
export const chats = ['slack', 'discord', 'teams', 'telegram', 'ntfy'] as const
export type Chat = (typeof chats)[number]

const channels = ['webhook', ...chats, 'email'] as const
const oneChannel = `give exactly one of ${channels.slice(0, -1).join(', ')} and email`

const urlRef = refSchema('StagelySecret')
const chatSpec = (
  chat: string,
  url: string,
): z.ZodOptional<z.ZodObject<{ urlRef: typeof urlRef }>> =>
  z
    .strictObject({
      urlRef: urlRef.describe(`Secret (audience: Controller) whose value is ${url}.`),
    })
    .optional()
    .describe(`Notices as messages in ${chat}.`)

const webhookSpec = z.strictObject({
  url: webAddress().describe(
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
      .array(nameOfKind('Project'))
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
    slack: chatSpec('Slack', 'the URL of an incoming webhook'),
    discord: chatSpec('Discord', 'the URL of a webhook of a channel'),
    teams: chatSpec('Microsoft Teams', 'the URL of a workflow that takes webhook requests'),
    telegram: z
      .strictObject({
        urlRef: urlRef.describe(
          'Secret (audience: Controller) whose value is https://api.telegram.org/bot<token>/sendMessage.',
        ),
        chatId: z
          .string({ error: 'a chat is text; quote it: "-1001234567890"' })
          .regex(/^(-?\d{1,20}|@\w{1,64})$/, 'must be a number in quotes, or @ and a name')
          .describe('Chat that the bot writes to, such as "-1001234567890" or @channel.'),
      })
      .optional()
      .describe('Notices as messages of a bot in Telegram.'),
    ntfy: chatSpec('ntfy', 'the URL of a topic, such as https://ntfy.sh/my-topic'),
    email: z
      .strictObject({
        to: z
          .array(z.email('must be an address such as ops@example.com').max(254))
          .min(1)
          .max(20)
          .describe('Who gets the messages.'),
      })
      .optional()
      .describe(
        'Notices as e-mail, by the mail server that the operator of the controller has named.',
      ),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: `[${channels.map((name) => `has(self.${name})`).join(', ')}].filter(given, given).size() == 1`,
        message: oneChannel,
      },
    ],
  })

export const notifierStatus = z.strictObject({
  observedGeneration: count
    .optional()
    .describe('metadata.generation of the spec that this status describes.'),
  lastDeliveredAt: instant.optional().describe('When a notice was taken last.'),
  conditions: conditionsSchema,
})

/** Rules that the schema cannot express. */
export const checkNotifier = (spec: Record<string, unknown>): Fault[] => {
  const [first, ...more] = channels.filter((name) => spec[name] !== undefined)
  if (first === undefined)
    return [
      { field: 'spec', reason: 'FieldValueRequired', message: `Required value: ${oneChannel}` },
    ]
  return more.map((name) => ({
    field: `spec.${name}`,
    reason: 'FieldValueForbidden',
    message: `Forbidden: ${oneChannel}`,
  }))
}

/** The addresses that are of none of the domains. */
export const foreignTo = (
  domains: readonly string[] | undefined,
  to: readonly string[],
): readonly string[] =>
  domains === undefined
    ? []
    : to.filter(
        (address) => !domains.includes(address.slice(address.lastIndexOf('@') + 1).toLowerCase()),
      )
