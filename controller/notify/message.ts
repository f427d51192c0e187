// A message of a Notifier, in the form that its receiver reads. Pure.
import { toFineTimestamp } from '../../src/kernel/clock.ts'
import { createHmac } from 'node:crypto'
import { defined } from '../../src/kernel/defined.ts'
import { oneLine, printable, setIn } from '../../src/kernel/printable.ts'
import type { Chat } from '../../src/kinds/notifier/schema.ts'
import type { Notice } from '../../src/store/core/notice.ts'

/** Where the dashboard shows what a notice is about. */
const pathOf = ({ kind, team, project = '', name }: Notice): string => {
  const [of, own] = [`/ui/t/${team}/p/${project}`, encodeURIComponent(name)]
  switch (kind) {
    case 'Stagelet':
      return `/ui/t/${team}/s/${own}`
    case 'Agent':
      return `/ui/t/${team}/a/${own}`
    case 'Project':
      return `/ui/t/${team}/p/${own}`
    case 'StagelySecret':
      return `${of}?secret=${own}`
    case 'Rotation':
      return `${of}/rotations`
    case 'SecretStore':
      return '/ui/stores'
    default:
      return '/ui/'
  }
}

/** undefined: the controller serves no dashboard at an address that others know. */
const linkOf = ({ dashboard }: NotifierMessage, notice: Notice): string | undefined =>
  dashboard === undefined || notice.reason === 'Test'
    ? undefined
    : new URL(pathOf(notice), dashboard).href

export interface NotifierMessage {
  /** The same at each attempt. */
  readonly id: string
  readonly notifier: string
  readonly notices: readonly Notice[]
  /** How many there are, with those that the message leaves out. */
  readonly count: number
  /** Address of the controller, where it serves the dashboard. */
  readonly dashboard?: string | undefined
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
  message: NotifierMessage,
  { nowMs, signingKey }: { nowMs: number; signingKey: Buffer | undefined },
): Posted => {
  const { id, notifier, notices, count } = message
  const linked = notices.map((notice) => ({
    ...notice,
    ...defined({ link: linkOf(message, notice) }),
  }))
  const data = { notifier, count, notices: linked }
  const timestamp = notices[0]?.at ?? toFineTimestamp(nowMs)
  const body = JSON.stringify({ type: 'stagely.notices', timestamp, data })
  return { headers: signedHeaders({ id, body }, { nowMs, signingKey }), body }
}

const mostLines = 20

/** A line for each notice, and how many there are besides; each line with its link. */
const linesOf = (
  message: NotifierMessage,
  render: (text: { reason: string; rest: string; link: string | undefined }) => string,
): string[] => {
  const { notices, count } = message
  const lines = notices.slice(0, mostLines).map((notice) => {
    const { reason, kind, team, project, name, message: text } = notice
    const place = project === undefined ? team : `${team}/${project}`
    const rest = setIn(`${kind.toLowerCase()}/${name} (${place}): ${text}`)
    return render({ reason, rest, link: linkOf(message, notice) })
  })
  const more = count - lines.length
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])]
}

const plainText = (message: NotifierMessage): string =>
  linesOf(message, ({ reason, rest, link }) =>
    [`${reason} ${rest}`, ...(link === undefined ? [] : [link])].join('\n'),
  ).join('\n')

/** Whole characters; what is cut off is said to be. */
const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 2).replace(/[\uD800-\uDBFF]$/, '')} …`

const json = (body: object): Posted => ({ headers: jsonType, body: JSON.stringify(body) })

/** Slack reads these three as marks of its own. */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const slackPost = (message: NotifierMessage): Posted =>
  json({
    text: linesOf(message, ({ reason, rest, link }) => {
      const shown = escaped(`*${reason}* ${rest}`)
      return link === undefined ? shown : `${shown} <${escaped(link)}>`
    }).join('\n'),
  })

/** Marks of Markdown, which Discord and Teams would read. */
const unmarked = (text: string): string => text.replace(/[\\*_~`|<>[\]#]/g, '\\$&')

const markdown = (message: NotifierMessage, between: string): string =>
  linesOf(message, ({ reason, rest, link }) => {
    const shown = `**${reason}** ${unmarked(rest)}`
    return link === undefined ? shown : `${shown} [open](${link})`
  }).join(between)

/** https://discord.com/developers/docs/resources/webhook#execute-webhook */
const discordPost = (message: NotifierMessage): Posted =>
  json({ content: cut(markdown(message, '\n'), 2_000), allowed_mentions: { parse: [] } })

/** https://learn.microsoft.com/en-us/connectors/teams: the body of "when a Teams webhook request is received". */
const teamsPost = (message: NotifierMessage): Posted => {
  const text = cut(markdown(message, '\n\n'), 20_000)
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [{ type: 'TextBlock', text, wrap: true }],
  }
  const card = { contentType: 'application/vnd.microsoft.card.adaptive', content }
  return json({ type: 'message', attachments: [card] })
}

interface ChatSpec {
  readonly urlRef: { readonly name: string }
  /** Of Telegram. */
  readonly chatId?: string
}

/** https://core.telegram.org/bots/api#sendmessage */
const telegramPost = (message: NotifierMessage, { chatId }: ChatSpec): Posted =>
  json({
    chat_id: chatId,
    text: cut(plainText(message), 4_096),
    link_preview_options: { is_disabled: true },
  })

/** A header holds no other bytes. */
const ascii = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?')

/** https://docs.ntfy.sh/publish */
const ntfyPost = (message: NotifierMessage): Posted => {
  const [first] = message.notices
  const link = first && linkOf(message, first)
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    title: ascii(`Stagely: ${letterOf(message).subject.replace(/^\[Stagely\] /, '')}`).slice(
      0,
      250,
    ),
    ...(link !== undefined && { click: ascii(link) }),
  }
  return { headers, body: cut(plainText(message), 4_000) }
}

export const chatPosts: Readonly<
  Record<Chat, (message: NotifierMessage, chat: ChatSpec) => Posted>
> = {
  slack: slackPost,
  discord: discordPost,
  teams: teamsPost,
  telegram: telegramPost,
  ntfy: ntfyPost,
}

export interface Letter {
  readonly subject: string
  readonly text: string
}

export const letterOf = (letter: NotifierMessage): Letter => {
  const { notifier, notices, count } = letter
  const placeOf = ({ team, project }: Notice): string =>
    project === undefined ? team : `${team}/${project}`
  const paragraphs = notices.map((notice) => {
    const link = linkOf(letter, notice)
    return `${notice.reason}: ${notice.kind.toLowerCase()}/${notice.name} (${placeOf(notice)}), ${notice.at}\n${setIn(notice.message)}${link === undefined ? '' : `\n${link}`}`
  })
  const [first] = notices
  const reasons = [...new Set(notices.map(({ reason }) => reason))].join(', ')
  const subject =
    first !== undefined && count === 1
      ? `${first.reason}: ${first.kind.toLowerCase()}/${first.name} (${placeOf(first)})`
      : `${count} notices: ${reasons}`
  const more = count - notices.length
  return {
    subject: `[Stagely] ${oneLine(subject).trim()}`,
    text: [
      ...paragraphs,
      ...(more > 0 ? [`and ${more} more`] : []),
      `-- \nSent by the Notifier "${notifier}" of Stagely.`,
    ]
      .map(printable)
      .join('\n\n'),
  }
}
