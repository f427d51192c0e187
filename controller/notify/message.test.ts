import { expect, it } from 'vitest'
import type { Notice } from '../../src/store/core/notice.ts'
import { letterOf, slackPost, webhookPost, type NotifierMessage } from './message.ts'

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
    expect(slackPost(told).body).toContain(`<${link}>`)
    expect(letterOf(told).text).toContain(`\n${link}`)
  }
  const { body } = webhookPost(told, { nowMs: 0, signingKey: undefined })
  const { data } = JSON.parse(body) as { data: { notices: { link?: string }[] } }
  expect(data.notices.map(({ link }) => link)).toEqual([...links, undefined])
})

it('names no address where others cannot reach the dashboard', () => {
  const told = message(all)
  const { body } = webhookPost(told, { nowMs: 0, signingKey: undefined })
  for (const text of [slackPost(told).body, letterOf(told).text, body])
    expect(text).not.toContain('/ui/')
})

it('hides nothing and turns no direction in what people read', () => {
  const odd = message([
    notice({ message: 'by \u202enimda\u2066\u001b[1m', project: 'a\r\nBcc: x' }),
  ])
  const { subject, text } = letterOf(odd)
  const { text: slack } = JSON.parse(slackPost(odd).body) as { text: string }
  for (const shown of [text, slack]) expect(shown).toContain('by \\u202enimda\\u2066\\x1b[1m')
  expect(subject).toContain('(default/a\\x0d\\nBcc: x)')
})
