// One attempt to deliver a message: the effect. What comes of it is told back, and stored by the performer.
import { StagelyError, messageOf } from '../../src/kernel/errors.ts'
import { refOf, type KubeObject } from '../../src/resources/meta.ts'
import { chats } from '../../src/kinds/notifier/schema.ts'
import { specOf } from '../../src/kinds/typed.ts'
import type { Batch } from '../../src/store/outbox.ts'
import type { Store } from '../../src/store/store.ts'
import type { Egress } from '../egress/gate.ts'
import { secretForController } from '../secret-for-controller.ts'
import type { Mailer } from './mail.ts'
import { chatPosts, letterOf, webhookPost, type NotifierMessage, type Posted } from './message.ts'

export interface DeliverDeps {
  readonly store: Pick<Store, 'get' | 'revealSecret'>
  readonly egress: Egress
  /** undefined: the operator has named no mail server. */
  readonly mail: Mailer | undefined
  readonly now: () => number
  /** Address of the controller, where it serves the dashboard. */
  readonly dashboard?: string | undefined
}

/** `answer` says what the receiver answered, or why it could not. It names no URL: that of a chat is a secret. */
export interface Attempt {
  readonly ok: boolean
  readonly answer: string
}

const noMailServer =
  'the controller knows no mail server: whoever runs it names one (STAGELY_SMTP_URL, STAGELY_SMTP_FROM)'

const secretFor = (
  { store }: DeliverDeps,
  notifier: KubeObject,
  { name }: { readonly name: string },
): Promise<Buffer> =>
  secretForController(store, { namespace: refOf(notifier).namespace, name }, 'notify')

const postOf = async (
  deps: DeliverDeps,
  notifier: KubeObject,
  message: NotifierMessage,
): Promise<Posted & { readonly url: string; readonly isSecret: boolean }> => {
  const { webhook, ...channels } = specOf('Notifier', notifier)
  for (const name of chats) {
    const chat = channels[name]
    if (chat === undefined) continue
    const url = (await secretFor(deps, notifier, chat.urlRef)).toString('utf8').trim()
    return { url, isSecret: true, ...chatPosts[name](message, chat) }
  }
  if (webhook === undefined) throw new StagelyError('Invalid', 'it says no address')
  const { url, signingKeyRef } = webhook
  const signingKey =
    signingKeyRef === undefined ? undefined : await secretFor(deps, notifier, signingKeyRef)
  return { url, isSecret: false, ...webhookPost(message, { nowMs: deps.now(), signingKey }) }
}

export const deliver = async (
  deps: DeliverDeps,
  notifier: KubeObject,
  { id, notices, count }: Pick<Batch, 'id' | 'notices' | 'count'>,
  signal: AbortSignal,
): Promise<Attempt> => {
  try {
    const { dashboard } = deps
    const message = { id, notifier: notifier.metadata.name, notices, count, dashboard }
    const { email } = specOf('Notifier', notifier)
    if (email !== undefined) {
      if (deps.mail === undefined) return { ok: false, answer: noMailServer }
      const refused = await deps.mail.send({ id, to: email.to, ...letterOf(message) }, signal)
      const but = refused.length === 0 ? '' : `, but not for ${refused.join(', ')}`
      return { ok: true, answer: `the mail server takes the message${but}` }
    }
    const { url, headers, body, isSecret } = await postOf(deps, notifier, message)
    try {
      const { status } = await deps.egress.call({ url, method: 'POST', headers, body, signal })
      const answer = `the receiver answers with status ${status}`
      return { ok: status >= 200 && status < 300, answer }
    } catch (error) {
      // The gate's message names the host, which for a chat is no secret, and never the path.
      if (isSecret && !(error instanceof StagelyError)) return { ok: false, answer: 'it fails' }
      throw error
    }
  } catch (error) {
    return { ok: false, answer: messageOf(error) }
  }
}
