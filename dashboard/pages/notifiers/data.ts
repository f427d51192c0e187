// Notifiers: what they send in words, and in which state they are. Pure.
import type { Notifier } from '../../../src/generated/rest-types.ts'
import type { RotationState } from '../rotations/data.ts'

type Reason = Notifier['reasons'][number]

/** What a notifier can send, in words. */
export const reasonWords: Readonly<Record<Reason, string>> = {
  Expiring: 'a secret is about to expire',
  Expired: 'a secret has expired',
  RotationDue: 'a secret is too old, or somebody who left has read it',
  LeakFound: 'a value was found in a repository',
  RolledBack: 'a change broke a service and was rolled back',
  Ending: 'a stack comes to its end, or has ended',
  AgentLost: 'an agent is offline',
  AgentGone: 'an ephemeral machine has ended',
  Drifted: 'a container was changed by hand',
  StoreStale: 'an external store could not be read for too long',
  StoreUnauthorized: 'an external store rejects the credential',
  RotationFailed: 'a rotation failed',
  RotationBlocked: 'a rotation is blocked and needs a person',
  KeyRotationDue: 'an encryption key is due for rotation',
  AccessRequested: 'somebody asks to read guarded values',
  AccessDecided: 'a request for access is approved, or has ended',
  GlassBroken: 'an emergency was declared, or its review is overdue',
  ManifestFault: 'a manifest of the folder has an error',
}

const chatWords = {
  slack: 'Slack',
  discord: 'Discord',
  teams: 'Teams',
  telegram: 'Telegram',
  ntfy: 'ntfy',
} as const
export const channelWords = { webhook: 'Webhook', ...chatWords, email: 'E-mail' } as const
const chats = Object.keys(chatWords) as (keyof typeof chatWords)[]

/** How it sends and where to, in words. The URL of a chat is a secret, which has a name. */
export const targetText = (notifier: Notifier): string => {
  const chat = chats.find((name) => notifier[name] !== undefined)
  if (chat !== undefined) return `${chatWords[chat]}: the URL in ${notifier[chat]?.url ?? ''}`
  const { webhook, email } = notifier
  return email === undefined
    ? `${channelWords.webhook}: ${webhook?.url ?? ''}`
    : `${channelWords.email}: ${email.to.join(', ')}`
}

export const notifierState = ({ conditions }: Pick<Notifier, 'conditions'>): RotationState => {
  const found = conditions.find(({ type }) => type === 'Delivering')
  if (found === undefined) return { kind: 'wait', word: 'Nothing sent yet', why: '' }
  const why = found.message
  if (found.status === 'True') return { kind: 'ok', word: 'Delivering', why: '' }
  return found.reason === 'GaveUp'
    ? { kind: 'fail', word: 'Gave up', why }
    : { kind: 'fail', word: 'Failing, retrying', why }
}
