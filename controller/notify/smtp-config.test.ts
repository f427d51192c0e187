import { describe, expect, it } from 'vitest'
import { foreignTo } from '../../src/kinds/notifier/schema.ts'
import { parseSmtp } from './smtp-config.ts'

const from = 'Stagely <stagely@example.com>'
const parsed = (url: string | undefined, sender: string | undefined = from) => {
  const faults: string[] = []
  const config = parseSmtp({ STAGELY_SMTP_URL: url, STAGELY_SMTP_FROM: sender }, faults)
  return { config, faults }
}

describe('the mail server of Notifiers', () => {
  it('is none where nothing is said', () => {
    expect(parsed(undefined, '')).toEqual({ config: undefined, faults: [] })
  })

  it.each([
    ['smtps://u:p%40ss@mail.example.com', { port: 465, tls: 'implicit', password: 'p@ss' }],
    ['smtp://u:p@mail.example.com', { port: 587, tls: 'starttls', user: 'u' }],
    ['smtp://mail.example.com:2525', { port: 2525, tls: 'starttls', user: undefined }],
    ['smtp://localhost:25?tls=none', { port: 25, tls: 'none', user: undefined }],
  ])('is read from %s', (url, wanted) => {
    const { config, faults } = parsed(url)
    expect(faults).toEqual([])
    expect(config).toMatchObject({ ...wanted, from })
  })

  it.each([
    ['https://mail.example.com', from],
    ['mail.example.com', from],
    ['smtps://mail.example.com?tls=none', from],
    ['smtp://mail.example.com?tls=maybe', from],
    ['smtp://u:canary%E0%A4@mail.example.com', from],
    [undefined, from],
    ['smtps://u:canary@mail.example.com', ''],
    ['smtps://u:canary@mail.example.com', 'nobody'],
  ])('is refused where %s is sent by "%s", and the fault holds no password', (url, sender) => {
    const { faults } = parsed(url, sender)
    expect(faults).toHaveLength(1)
    expect(faults.join()).toMatch(/STAGELY_SMTP/)
    expect(faults.join()).not.toContain('canary')
  })

  it('sends to the domains that are named alone, or to any', () => {
    const given = { STAGELY_SMTP_URL: 'smtps://mail.example.com', STAGELY_SMTP_FROM: from }
    const of = (domains: string): unknown =>
      parseSmtp({ ...given, STAGELY_SMTP_DOMAINS: domains }, [])?.domains
    expect([of(''), of('Example.com, example.org')]).toEqual([
      undefined,
      ['example.com', 'example.org'],
    ])
    const to = [
      'a@Example.com',
      'b@sub.example.com',
      'c@example.com.evil.org',
      '"x@example.com"@e.org',
    ]
    expect(foreignTo(['example.com'], to)).toEqual(to.slice(1))
    expect(foreignTo(undefined, to)).toEqual([])
    const faults: string[] = []
    parseSmtp({ ...given, STAGELY_SMTP_DOMAINS: 'a@b' }, faults)
    expect(faults.join()).toContain('STAGELY_SMTP_DOMAINS')
  })
})
