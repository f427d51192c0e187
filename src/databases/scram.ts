// Verifiers of passwords as Postgres stores them (RFC 5803). Made here, they are all that a statement holds, and all
// that a log of statements can show.
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'

const iterations = 4096

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest()
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** The password must be ASCII: of other letters, SCRAM wants another spelling. */
export const scramVerifier = (
  password: string,
  salt: Buffer = randomBytes(16),
  rounds: number = iterations,
): string => {
  const salted = pbkdf2Sync(password, salt, rounds, 32, 'sha256')
  const stored = sha256(hmac(salted, 'Client Key'))
  const server = hmac(salted, 'Server Key')
  const [a, b, c] = [salt, stored, server].map((bytes) => bytes.toString('base64'))
  return `SCRAM-SHA-256$${rounds}:${a}$${b}:${c}`
}

/** Whether Postgres would take the password, by what it has stored. */
export const isPasswordOf = (
  stored: string | null,
  { username, password }: { readonly username: string; readonly password: string },
): boolean => {
  const scram = /^SCRAM-SHA-256\$(\d{1,7}):([^$]+)\$/.exec(stored ?? '')
  if (scram !== null) {
    const [, rounds, salt = ''] = scram
    return isSame(stored!, scramVerifier(password, Buffer.from(salt, 'base64'), Number(rounds)))
  }
  const md5 = createHash('md5').update(`${password}${username}`).digest('hex')
  return stored !== null && isSame(stored, `md5${md5}`)
}

const isSame = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
