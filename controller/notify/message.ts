// A message of a Notifier, in the form that its receiver reads. Pure.
import { createHmac } from 'node:crypto'
import type { Notice } from '../../src/store/notices.ts'

export interface Message {
  /** The same at each attempt. */
  readonly id: string
  readonly notifier: string
  readonly notices: readonly Notice[]
  /** How many there are, with those that the message leaves out. */
  readonly count: number
}

const jsonType = { 'content-type': 'application/json' }

/** As Standard Webhooks has it: `whsec_` and base64, or the bytes of the text. */
const keyOf = (value: Buffer): Buffer => {
  const text = value.toString('utf8').trim()
  return text.startsWith('whsec_') ? Buffer.from(text.slice('whsec_'.length), 'base64') : value
}

export interface Posted {
  readonly headers: Record<string, string>
  readonly body: string
}

/** As Standard Webhooks say. `id` is the same at each repetition. */
export const signedHeaders = (
  { id, body }: { readonly id: string; readonly body: string },
  { nowMs, signingKey }: { nowMs: number; signingKey: Buffer | undefined },
): Record<string, string> => {
  const at = String(Math.floor(nowMs / 1000))
  const base = { ...jsonType, 'webhook-id': id, 'webhook-timestamp': at }
  if (signingKey === undefined) return base
  const mac = createHmac('sha256', keyOf(signingKey)).update(`${id}.${at}.${body}`)
  return { ...base, 'webhook-signature': `v1,${mac.digest('base64')}` }
}

export const webhookPost = (
  { id, notifier, notices, count }: Message,
  { nowMs, signingKey }: { nowMs: number; signingKey: Buffer | undefined },
): Posted => {
  const data = { notifier, count, notices }
  const timestamp = notices[0]?.at ?? new Date(nowMs).toISOString()
  const body = JSON.stringify({ type: 'stagely.notices', timestamp, data })
  return { headers: signedHeaders({ id, body }, { nowMs, signingKey }), body }
}

/** Slack reads these three as marks of its own. */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const mostLines = 20

export const slackPost = ({ notices, count }: Message): Posted => {
  const lines = notices
    .slice(0, mostLines)
    .map(
      ({ reason, kind, team, project, name, message }) =>
        `*${reason}* ${kind.toLowerCase()}/${name} (${project === undefined ? team : `${team}/${project}`}): ${message}`,
    )
  const more = count - lines.length
  const text = [...lines.map(escaped), ...(more > 0 ? [`and ${more} more`] : [])].join('\n')
  return { headers: jsonType, body: JSON.stringify({ text }) }
}

export interface Letter {
  readonly subject: string
  readonly text: string
}

/** One line, as a subject is. */
const oneLine = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ').trim()

export const letterOf = ({ notifier, notices, count }: Message): Letter => {
  const placeOf = ({ team, project }: Notice): string =>
    project === undefined ? team : `${team}/${project}`
  const paragraphs = notices.map(
    (one) =>
      `${one.reason}: ${one.kind.toLowerCase()}/${one.name} (${placeOf(one)}), ${one.at}\n${one.message}`,
  )
  const [first] = notices
  const reasons = [...new Set(notices.map(({ reason }) => reason))].join(', ')
  const subject =
    first !== undefined && count === 1
      ? `${first.reason}: ${first.kind.toLowerCase()}/${first.name} (${placeOf(first)})`
      : `${count} notices: ${reasons}`
  const more = count - notices.length
  return {
    subject: `[Stagely] ${oneLine(subject)}`,
    text: [
      ...paragraphs,
      ...(more > 0 ? [`and ${more} more`] : []),
      `-- \nSent by the Notifier "${notifier}" of Stagely.`,
    ].join('\n\n'),
  }
}
