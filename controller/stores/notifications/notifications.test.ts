import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isNotificationSigned, keysOf } from './notifications.ts'

const nowMs = 1_800_000_000_000
const key = Buffer.from('a-signing-key')
const notificationOf = (text: string, headers: Record<string, string>) => ({
  body: Buffer.from(text),
  header: (name: string) => headers[name],
})
const hex = (text: string): string => createHmac('sha256', key).update(text).digest('hex')

describe('a notification', () => {
  it('of Doppler has a HMAC of its body', () => {
    const headers = { 'x-doppler-signature': `sha256=${hex('{}')}` }
    expect(isNotificationSigned('Doppler', notificationOf('{}', headers), { key, nowMs })).toBe(
      true,
    )
    expect(isNotificationSigned('Doppler', notificationOf('{ }', headers), { key, nowMs })).toBe(
      false,
    )
    expect(isNotificationSigned('Doppler', notificationOf('{}', {}), { key, nowMs })).toBe(false)
    expect(
      isNotificationSigned('Doppler', notificationOf('{}', headers), {
        key: Buffer.alloc(0),
        nowMs,
      }),
    ).toBe(false)
  })

  it('of Infisical has a time of its own in what is signed', () => {
    const of = (timestamp: number): boolean => {
      const text = JSON.stringify({ event: 'secrets.modified', timestamp })
      const headers = { 'x-infisical-signature': `t=${timestamp};${hex(text)}` }
      return isNotificationSigned('Infisical', notificationOf(text, headers), { key, nowMs })
    }
    expect(of(nowMs - 1000)).toBe(true)
    expect(of(nowMs - 3_600_000)).toBe(false)
  })

  it('as Standard Webhooks say takes a key with whsec_', () => {
    const at = String(nowMs / 1000)
    const signature = createHmac('sha256', key).update(`id.${at}.{}`).digest('base64')
    const headers = {
      'webhook-id': 'id',
      'webhook-timestamp': at,
      'webhook-signature': `v1,AAAA v1,${signature}`,
    }
    const whsec = Buffer.from(`whsec_${key.toString('base64')}`)
    const of = (given: Buffer, ms: number): boolean =>
      isNotificationSigned('StandardWebhooks', notificationOf('{}', headers), {
        key: given,
        nowMs: ms,
      })
    expect(of(key, nowMs)).toBe(true)
    expect(of(whsec, nowMs)).toBe(true)
    expect(of(key, nowMs + 301_000)).toBe(false)
  })

  it('names keys, or none where they are not keys', () => {
    const of = (body: unknown): string[] => keysOf({ body: Buffer.from(JSON.stringify(body)) })
    expect(of({ data: { keys: ['prod/db'] } })).toEqual(['prod/db'])
    for (const keys of [['a\nb'], [7], 'a', Array(101).fill('a')])
      expect(of({ data: { keys } })).toEqual([])
    expect(keysOf({ body: Buffer.from('no json') })).toEqual([])
  })
})
