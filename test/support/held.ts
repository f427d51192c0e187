// Secrets as an agent holds them.
import type { OpenedSecret } from '../../agent/state/stack-target.ts'
import type { FileSpec } from '../../src/kinds/secret/schema.ts'
import { valueDigest } from '../../src/secrets/digest.ts'

const digestKey = Buffer.alloc(32, 7)

/** One env secret, as an agent holds it. */
export const held = (key: string, value: string | Buffer, scope = 'global'): OpenedSecret => {
  const bytes = Buffer.from(value)
  return {
    secretId: `${key}.${scope}`,
    name: `${key}.${scope}`.toLowerCase(),
    version: 1,
    key,
    scope,
    type: 'env',
    bytes: bytes.length,
    valueDigest: valueDigest(digestKey, { type: 'env', key, value: bytes }),
    value: bytes,
  }
}

/** One file secret, as an agent holds it. */
export const heldFile = (
  key: string,
  value: string | Buffer,
  file: FileSpec,
  scope = 'global',
): OpenedSecret => {
  const bytes = Buffer.from(value)
  const digest = valueDigest(digestKey, { type: 'file', key, value: bytes, file })
  return {
    ...held(key, '', scope),
    type: 'file',
    file,
    bytes: bytes.length,
    value: bytes,
    valueDigest: digest,
  }
}
