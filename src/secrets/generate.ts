// Generates values that nobody needs to know.
import { createPublicKey, generateKeyPair, randomInt } from 'node:crypto'
import { promisify } from 'node:util'
import type { GenerateSpec } from '../kinds/secret/value-source.ts'

const lower = 'abcdefghijklmnopqrstuvwxyz'
const digits = '0123456789'
const letters = lower.toUpperCase() + lower

/** Characters that need no quoting in a shell's double quotes, YAML, or a Compose file. */
const alphabets: Record<NonNullable<GenerateSpec['charset']>, string> = {
  alphanumeric: letters + digits,
  hex: `${digits}abcdef`,
  base64url: `${letters}${digits}-_`,
  digits,
  printable: `${letters}${digits}!#%&()*+,-./:;<=>?@[]^_{|}~`,
}

const rsaBits = 3072
const makeKeys = promisify(generateKeyPair)

const makeKeypair = async (type: 'ed25519' | 'rsa'): Promise<string> => {
  const { privateKey } =
    type === 'rsa'
      ? await makeKeys('rsa', { modulusLength: rsaBits })
      : await makeKeys('ed25519', undefined)
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
}

/** Text of the wanted length and characters, each drawn uniformly; or a private key as PKCS#8 PEM. */
export const generateValue = async (spec: GenerateSpec): Promise<Buffer> => {
  if (spec.keypair !== undefined) return Buffer.from(await makeKeypair(spec.keypair))
  const alphabet = alphabets[spec.charset ?? 'alphanumeric']
  const chars = Array.from(
    { length: spec.length ?? 32 },
    () => alphabet[randomInt(alphabet.length)],
  )
  return Buffer.from(chars.join(''))
}

/** SPKI PEM of a private key's public half; undefined for any other input. */
export const publicHalf = (privatePem: Buffer): string | undefined => {
  try {
    return createPublicKey(privatePem).export({ format: 'pem', type: 'spki' }).toString()
  } catch {
    return undefined
  }
}
