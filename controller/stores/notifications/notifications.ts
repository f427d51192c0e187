// Signed notifications of stores: something has changed. Pure but for hashes.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { isRecord, tryParseJson } from '../../../src/kernel/record.ts'
import type { SecretStoreSpec } from '../../../src/kinds/secret-store/schema.ts'

type Signature = NonNullable<NonNullable<SecretStoreSpec['push']>['hook']>['signature']

export interface StoreNotification {
  readonly body: Buffer
  readonly header: (name: string) => string | undefined
}

/** So far a timestamp may be from our clock. */
const skewMs = 300_000
const mostKeys = 100

const same = (text: string, other: string): boolean => {
  const [a, b] = [Buffer.from(text), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
const hex = (key: Buffer, body: Buffer): string =>
  createHmac('sha256', key).update(body).digest('hex')

/** As Standard Webhooks has it: `whsec_` and base64, or the bytes of the text. */
const standardKey = (key: Buffer): Buffer => {
  const text = key.toString('utf8')
  return text.startsWith('whsec_') ? Buffer.from(text.slice('whsec_'.length), 'base64') : key
}

const isStandard = ({ body, header }: StoreNotification, key: Buffer, nowMs: number): boolean => {
  const [id = '', at = ''] = [header('webhook-id'), header('webhook-timestamp')]
  if (id === '' || !/^\d{1,12}$/.test(at)) return false
  if (Math.abs(nowMs - Number(at) * 1000) > skewMs) return false
  const signed = createHmac('sha256', standardKey(key)).update(`${id}.${at}.`).update(body)
  const wanted = `v1,${signed.digest('base64')}`
  return (header('webhook-signature') ?? '').split(' ').some((given) => same(given, wanted))
}

/** `t=MILLISECONDS;HEX`; the time is in the body too, which is what is signed. */
const isInfisical = ({ body, header }: StoreNotification, key: Buffer, nowMs: number): boolean => {
  const found = /^t=(\d{1,15});([0-9a-f]{64})$/.exec(header('x-infisical-signature') ?? '')
  if (found === null) return false
  const sent = tryParseJson(body.toString('utf8'))
  const at = isRecord(sent) ? Number(sent.timestamp) : Number.NaN
  return Math.abs(nowMs - at) <= skewMs && same(found[2]!, hex(key, body))
}

const isDoppler = ({ body, header }: StoreNotification, key: Buffer): boolean =>
  same(header('x-doppler-signature') ?? '', `sha256=${hex(key, body)}`)

export const isNotificationSigned = (
  signature: Signature,
  notification: StoreNotification,
  { key, nowMs }: { readonly key: Buffer; readonly nowMs: number },
): boolean => {
  if (key.length === 0) return false
  if (signature === 'StandardWebhooks') return isStandard(notification, key, nowMs)
  return signature === 'Infisical'
    ? isInfisical(notification, key, nowMs)
    : isDoppler(notification, key)
}

/** Keys that the notification names (`data.keys`); none: look at the whole store. */
export const keysOf = ({ body }: Pick<StoreNotification, 'body'>): string[] => {
  const sent = tryParseJson(body.toString('utf8'))
  const data = isRecord(sent) && isRecord(sent.data) ? sent.data : {}
  const keys = Array.isArray(data.keys) ? (data.keys as unknown[]) : []
  const isKey = (key: unknown): key is string =>
    typeof key === 'string' && key !== '' && key.length <= 1024 && !/[\0-\x1f\x7f]/.test(key)
  return keys.every(isKey) && keys.length <= mostKeys ? keys : []
}
