// Notifiers: what they send in words, in which state they are, and the form of one. Pure.
import type { Notifier } from '../../../src/rest/types.ts'
import { manifestNames, type Spec } from '../../actions/kinds.ts'
import type { RotationState } from '../rotations/data.ts'

export type Reason = Notifier['reasons'][number]

/** What a notifier can send, in words. */
export const reasonWords: Readonly<Record<Reason, string>> = {
  Expiring: 'a secret is about to expire',
  Expired: 'a secret has expired',
  RotationDue: 'a secret is too old, or somebody who left has read it',
  RolledBack: 'a change broke a service and was rolled back',
  AgentLost: 'an agent is offline',
  Drifted: 'a container was changed by hand',
  StoreStale: 'an external store could not be read for too long',
  StoreUnauthorized: 'an external store rejects the credential',
  RotationFailed: 'a rotation failed',
  RotationBlocked: 'a rotation is blocked and needs a person',
  KeyRotationDue: 'an encryption key is due for rotation',
  ManifestFault: 'a manifest of the folder has an error',
}
export const reasons = Object.keys(reasonWords) as Reason[]

export type Channel = 'webhook' | 'slack' | 'email'
export const channelWords: Readonly<Record<Channel, string>> = {
  webhook: 'Webhook',
  slack: 'Slack',
  email: 'E-mail',
}

export const channelOf = ({ slack, email }: Pick<Notifier, 'slack' | 'email'>): Channel =>
  slack !== undefined ? 'slack' : email !== undefined ? 'email' : 'webhook'

/** Where it goes; the URL of Slack is a secret, which has a name. */
export const targetText = ({ webhook, slack, email }: Notifier): string =>
  webhook?.url ?? email?.to.join(', ') ?? `the URL in ${slack?.url ?? ''}`

export const notifierState = ({ conditions }: Pick<Notifier, 'conditions'>): RotationState => {
  const found = conditions.find(({ type }) => type === 'Delivering')
  if (found === undefined) return { kind: 'wait', word: 'Nothing sent yet', why: '' }
  const why = found.message
  if (found.status === 'True') return { kind: 'ok', word: 'Delivering', why: '' }
  return found.reason === 'GaveUp'
    ? { kind: 'fail', word: 'Gave up', why }
    : { kind: 'fail', word: 'Failing, retrying', why }
}

export interface Fields {
  readonly channel: Channel
  readonly url: string
  /** Names of secrets for the controller alone. */
  readonly signingKey: string
  readonly slackUrl: string
  /** Addresses, with commas or line breaks between. */
  readonly to: string
  readonly reasons: readonly Reason[]
  /** None: all of the team. */
  readonly projects: readonly string[]
}

export const fieldsOf = (notifier: Notifier | undefined): Fields => ({
  channel: notifier === undefined ? 'webhook' : channelOf(notifier),
  url: notifier?.webhook?.url ?? '',
  signingKey: notifier?.webhook?.signing_key ?? '',
  slackUrl: notifier?.slack?.url ?? '',
  to: notifier?.email?.to.join('\n') ?? '',
  reasons: notifier?.reasons ?? ['Expiring', 'Expired', 'RolledBack', 'AgentLost'],
  projects: notifier?.projects ?? [],
})

type Body = {
  readonly projects?: string[]
  readonly reasons: Reason[]
  readonly webhook?: { readonly url: string; readonly signing_key?: string }
  readonly slack?: { readonly url: string }
  readonly email?: { readonly to: string[] }
}

/** As REST takes it; whatever is not given is left out. */
export const bodyOf = ({ channel, projects, ...fields }: Fields): Body => ({
  ...(projects.length > 0 && { projects: [...projects].sort() }),
  reasons: reasons.filter((one) => fields.reasons.includes(one)),
  ...(channel === 'webhook'
    ? {
        webhook: {
          url: fields.url.trim(),
          ...(fields.signingKey.trim() !== '' && { signing_key: fields.signingKey.trim() }),
        },
      }
    : channel === 'slack'
      ? { slack: { url: fields.slackUrl.trim() } }
      : { email: { to: fields.to.split(/[\s,]+/).filter((one) => one !== '') } }),
})

/** As a manifest has it: secrets are referred to by name. */
export const specOf = ({ webhook, slack, ...rest }: Partial<Body>): Spec =>
  manifestNames({
    ...rest,
    webhook:
      webhook === undefined
        ? undefined
        : {
            url: webhook.url,
            signingKeyRef:
              webhook.signing_key === undefined ? undefined : { name: webhook.signing_key },
          },
    slack: slack === undefined ? undefined : { urlRef: { name: slack.url } },
  })
