// Texts that this controller hands out and gets back: signed, so that nothing is stored for them.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type * as z from 'zod'

const signatureOf = (key: Buffer, use: string, payload: string): Buffer =>
  createHmac('sha256', key).update(`${use} ${payload}`).digest()

/** `use`: what the text is for. It counts for nothing else. */
export const renderSigned = (key: Buffer, use: string, content: object): string => {
  const payload = Buffer.from(JSON.stringify(content)).toString('base64url')
  return `${payload}.${signatureOf(key, use, payload).toString('base64url')}`
}

/** undefined for a text that was not made with this key for this use, or has expired. */
export const parseSigned = <T extends { readonly expiresAt: number }>(
  { key, use, schema }: { key: Buffer; use: string; schema: z.ZodType<T> },
  text: string,
  now: number,
): T | undefined => {
  const [payload = '', signature = ''] = text.split('.', 2)
  const given = Buffer.from(signature, 'base64url')
  const expected = signatureOf(key, use, payload)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  const content = schema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')))
  return content.expiresAt > now ? content : undefined
}
