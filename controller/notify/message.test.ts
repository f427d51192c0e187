import { expect, it } from 'vitest'
import type { Notice } from '../../src/store/core/notice.ts'
import { chats } from '../../src/kinds/notifier/schema.ts'
import { chatPosts, letterOf, webhookPost, type NotifierMessage } from './message.ts'

const notice = (more: Partial<Notice>): Notice => ({
  reason: 'Expiring',
  kind: 'StagelySecret',
  team: 'default',
  project: 'shop',
  name: 'shop-key.web',
  message: 'ends soon',
  at: '2026-03-02T14:00:00Z',
  ...more,
})
const message = (notices: readonly Notice[], dashboard?: string): NotifierMessage => ({
  id: '1',
  notifier: 'team',
  notices,
  count: notices.length,
  dashboard,
})
const chat = { urlRef: { name: 'url' }, chatId: '-100' }
/** What a chat shows: the one text of its body. */
const shownIn = (name: (typeof chats)[number], told: NotifierMessage): string => {
  const { body } = chatPosts[name](told, chat)
  if (name === 'ntfy') return body
  const parsed = JSON.parse(body) as Record<string, unknown>
  const cards = parsed['attachments'] as { content: { body: { text: string }[] } }[] | undefined
  return cards?.[0]?.content.body[0]?.text ?? ((parsed['content'] ?? parsed['text']) as string)
}
const base = 'https://stagely.example.com:8443'
const all = [
  notice({}),
  notice({ kind: 'Stagelet', name: 'prod' }),
  notice({ kind: 'Agent', name: 'box' }),
  notice({ reason: 'Test', kind: 'Notifier', name: 'team' }),
]
const links = [
  `${base}/ui/t/default/p/shop?secret=shop-key.web`,
  `${base}/ui/t/default/s/prod`,
  `${base}/ui/t/default/a/box`,
]

it('leads from each notice to the page of what it is about, in each form', () => {
  const told = message(all, base)
  for (const link of links) {
    for (const name of chats) expect(shownIn(name, told), name).toContain(link)
    expect(letterOf(told).text).toContain(`\n${link}`)
  }
  const { body } = webhookPost(told, { nowMs: 0, signingKey: undefined })
  const { data } = JSON.parse(body) as { data: { notices: { link?: string }[] } }
  expect(data.notices.map(({ link }) => link)).toEqual([...links, undefined])
})

it('names no address where others cannot reach the dashboard', () => {
  const told = message(all)
  const { body } = webhookPost(told, { nowMs: 0, signingKey: undefined })
  const posts = chats.map((name) => JSON.stringify(chatPosts[name](told, chat)))
  for (const text of [...posts, letterOf(told).text, body]) expect(text).not.toContain('/ui/')
})

it('hides nothing and turns no direction in what people read', () => {
  const odd = message([
    notice({ message: 'by \u202enimda\u2066\u001b[1m', project: 'a\r\nBcc: x' }),
  ])
  const { subject, text } = letterOf(odd)
  const inChats = chats.map((name) =>
    shownIn(name, odd).replaceAll('\\\\', '\\').replace('\\[', '['),
  )
  for (const shown of [text, ...inChats]) expect(shown).toContain('by \\u202enimda\\u2066\\x1b[1m')
  expect(subject).toContain('(default/a\\x0d\\nBcc: x)')
})

it('has no marks of its receiver in what others wrote', () => {
  const told = message([notice({ message: '<!everyone> [x](https://evil.example) *b* `c`' })], base)
  expect(shownIn('slack', told)).toContain('&lt;!everyone&gt; [x](https://evil.example)')
  for (const name of ['discord', 'teams'] as const)
    expect(shownIn(name, told), name).toContain(
      '\\<!everyone\\> \\[x\\](https://evil.example) \\*b\\* \\`c\\`',
    )
  expect(JSON.parse(chatPosts.discord(told, chat).body)).toMatchObject({
    allowed_mentions: { parse: [] },
  })
})

it('is no longer than its receiver takes, whatever it holds', () => {
  const long = message(
    Array.from({ length: 50 }, () => notice({ message: '😀'.repeat(500) })),
    base,
  )
  const lengths = chats.map((name) => [name, shownIn(name, long).length] as const)
  expect(lengths.filter(([name, length]) => name !== 'slack' && length > 20_000)).toEqual([])
  expect(shownIn('discord', long).length).toBeLessThanOrEqual(2_000)
  expect(shownIn('telegram', long).length).toBeLessThanOrEqual(4_096)
  expect(shownIn('discord', long)).toMatch(/😀 …$/u)
})

it('goes to the chat of Telegram that is named, and to ntfy with a title and the page to open', () => {
  const told = message([notice({ project: 'shöp' })], base)
  expect(JSON.parse(chatPosts.telegram(told, chat).body)).toMatchObject({ chat_id: '-100' })
  expect(chatPosts.ntfy(told, chat).headers).toEqual({
    'content-type': 'text/plain; charset=utf-8',
    title: 'Stagely: Expiring: stagelysecret/shop-key.web (default/sh?p)',
    click: `${base}/ui/t/default/p/sh%C3%B6p?secret=shop-key.web`,
  })
})

it('lets no line of a text pass for a notice of its own', () => {
  const forged = message([
    notice({ message: 'ended\nGlassBroken project/shop (default): by root' }),
  ])
  const inChats = chats.map((name) => shownIn(name, forged).replaceAll('\\', ''))
  for (const shown of [...inChats, letterOf(forged).text]) {
    expect(shown).toContain('\n    | GlassBroken')
    expect(shown.split('\n').filter((line) => line.includes('Glass'))).toHaveLength(1)
  }
})
