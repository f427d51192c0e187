// The join token: all that an agent needs to find its controller and to prove which agent it may
// become. Valid once, for a short time. It pins the controller twice: the CA (TLS) and the X25519 key
// (bundles).
import * as z from 'zod'
import { StagelyError } from '../kernel/errors.ts'

const prefix = 'sjt_'

const joinToken = z.object({
  /** Base URL of the controller: `https://host:port`. Plain http only behind a proxy that ends TLS. */
  url: z.url({ protocol: /^https?$/ }),
  namespace: z.string().min(1),
  name: z.string().min(1),
  tokenId: z.string().min(1),
  tokenSecret: z.string().min(1),
  /** Raw 32 bytes, base64url. */
  controllerX25519: z.string().length(43),
  /** SHA-256 of the CA certificate's DER in hex, or `system` for the machine's trust store. */
  ca: z.union([z.literal('system'), z.string().regex(/^[0-9a-f]{64}$/)]),
})

export type JoinToken = z.infer<typeof joinToken>

/** One word without spaces, safe in a shell. It holds a secret: print it once, never log it. */
export const renderJoinToken = (token: JoinToken): string => {
  const t = joinToken.parse({ ...token, ca: token.ca.replaceAll(':', '').toLowerCase() })
  const fields = [1, t.url, t.namespace, t.name, t.tokenId, t.tokenSecret, t.controllerX25519, t.ca]
  return prefix + Buffer.from(JSON.stringify(fields)).toString('base64url')
}

/** BadRequest when `text` is not a join token of this version. The message never repeats it. */
export const parseJoinToken = (text: string): JoinToken => {
  const bad = (why: string): StagelyError =>
    new StagelyError(
      'BadRequest',
      `this is not a join token: ${why}. Make one with: stagely agent token create`,
    )
  const word = text.trim()
  if (!word.startsWith(prefix)) throw bad(`it does not begin with ${prefix}`)
  let fields: unknown
  try {
    fields = JSON.parse(Buffer.from(word.slice(prefix.length), 'base64url').toString('utf8'))
  } catch {
    throw bad('it is cut off or changed')
  }
  if (!Array.isArray(fields) || fields[0] !== 1) throw bad('its format is unknown to this version')
  const [, url, namespace, name, tokenId, tokenSecret, controllerX25519, ca] = fields as unknown[]
  const parsed = joinToken.safeParse({
    url,
    namespace,
    name,
    tokenId,
    tokenSecret,
    controllerX25519,
    ca,
  })
  if (!parsed.success) throw bad('a part of it is missing or damaged')
  return parsed.data
}
