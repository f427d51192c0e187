// One member of a secret that is JSON. Strict: what is not there, or cannot be told exactly, is a fault. Pure.

type PointerCut =
  | { readonly value: Buffer }
  | { readonly fault: 'PropertyMissing' | 'Refused'; readonly why: string }

const missing = (pointer: string): PointerCut => ({
  fault: 'PropertyMissing',
  why: `the secret has no member ${pointer}`,
})
const refused = (why: string): PointerCut => ({ fault: 'Refused', why })

const unescaped = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~')

const memberOf = (value: unknown, name: string): unknown => {
  if (Array.isArray(value))
    return /^(0|[1-9]\d*)$/.test(name) ? (value as unknown[])[Number(name)] : undefined
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Record<string, unknown>)[name]
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

const parsed = (secret: Buffer): { json: unknown } | undefined => {
  try {
    return { json: JSON.parse(utf8.decode(secret)) as unknown }
  } catch {
    // The parser's message repeats the text.
    return undefined
  }
}

/** The member that `pointer` (RFC 6901) names; the whole secret without one. No message repeats a value. */
export const cutProperty = (secret: Buffer, pointer: string | undefined): PointerCut => {
  if (pointer === undefined) return { value: secret }
  const whole = parsed(secret)
  if (whole === undefined) return refused(`the secret is not JSON, so it has no ${pointer}`)
  let at = whole.json
  for (const part of pointer.split('/').slice(1)) at = memberOf(at, unescaped(part))
  if (at === undefined || at === null) return missing(pointer)
  if (typeof at === 'string') return { value: Buffer.from(at, 'utf8') }
  if (typeof at === 'boolean') return { value: Buffer.from(String(at)) }
  if (typeof at === 'number') {
    if (Number.isSafeInteger(at)) return { value: Buffer.from(String(at)) }
    return refused(`${pointer} is a number that cannot be told exactly: write it as text`)
  }
  return refused(`${pointer} is no text but holds others: name one of them`)
}
