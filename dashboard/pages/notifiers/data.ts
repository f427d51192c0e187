// Notifiers: what they tell in words, in which state they are, and the form of one. Pure.
import type { Notifier } from '../../../src/rest/types.ts'
import { manifestNames, type Spec } from '../../copy-as/spec.ts'
import type { ShownState } from '../rotations/data.ts'

export type Reason = Notifier['reasons'][number]

/** All that can be told, in words. */
export const reasonWords: Readonly<Record<Reason, string>> = {
  Expiring: 'a value is near its end',
  Expired: 'a value is over',
  RotationDue: 'a value is too old, or known to who left',
  RolledBack: 'a change broke a service and was taken back',
  AgentLost: 'a machine is away',
  Drifted: 'a container was changed by hand',
  StoreStale: 'an external store was not seen for too long',
  StoreUnauthorized: 'an external store refuses its credential',
  RotationFailed: 'a rotation failed',
  RotationBlocked: 'a rotation cannot go on without a person',
  KeyRotationDue: 'a key is older than it may be',
  ManifestFault: 'a manifest of the folder has a fault',
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
export const targetOf = ({ webhook, slack, email }: Notifier): string =>
  webhook?.url ?? email?.to.join(', ') ?? `the URL in ${slack?.url ?? ''}`

export const stateOf = ({ conditions }: Pick<Notifier, 'conditions'>): ShownState => {
  const found = conditions.find(({ type }) => type === 'Delivering')
  if (found === undefined)
    return { kind: 'wait', word: 'Nothing told yet', why: 'Nothing has happened that it tells.' }
  const why = found.message
  if (found.status === 'True') return { kind: 'ok', word: 'Delivering', why: '' }
  return found.reason === 'GaveUp'
    ? { kind: 'fail', word: 'Gave up', why }
    : { kind: 'fail', word: 'Not taken, trying again', why }
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
