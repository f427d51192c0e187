// Master keys, from the environment. No fault repeats a key.
import { defined } from '../../src/kernel/defined.ts'
import { gcpKeyFault, vaultKeyFault } from '../../src/secrets/providers/key-names.ts'
import { decodeMasterKey } from '../../src/secrets/providers/local.ts'
import {
  keyProviderNames,
  type KeyProviderName,
  type KeyProviderSettings,
} from '../../src/secrets/providers/settings.ts'

type Env = Readonly<Record<string, string | undefined>>
type RemoteSettings = Exclude<KeyProviderSettings, { provider: 'local' | 'key-file' }>

export interface KeyConfig {
  readonly provider: KeyProviderName
  /** From STAGELY_SECRET_KEY; undefined: the key file in the data folder. */
  readonly secretKey: Buffer | undefined
  /** From STAGELY_SECRET_KEY_PREVIOUS: they only unwrap. */
  readonly previousSecretKeys: readonly Buffer[]
  readonly keyFile: string | undefined
  /** File with the keys that projects may name in place of the master key. */
  readonly providersFile: string | undefined
  /** The content of such a file. */
  readonly providers: string | undefined
  /** How to reach Vault, for named keys that do not say so. */
  readonly vault: {
    readonly endpoint: string | undefined
    readonly token: string | undefined
    readonly tokenFile: string | undefined
  }
  /** The key services, current and previous. */
  readonly services: readonly RemoteSettings[]
  /** How long an unwrapped key may stay in memory without the provider's consent. */
  readonly cacheMs: number
  /** An older key is due for rotation. */
  readonly rotationMs: number
  /** The controller replaces the keys that it can make, when they are due. */
  readonly rotatesKeys: boolean
}

const dayMs = 86_400_000

const emptyIsAbsent = (text: string | undefined): string | undefined =>
  text === '' ? undefined : text

const parseName = (env: Env, variable: string, faults: string[]): KeyProviderName | undefined => {
  const text = env[variable]
  if (text === undefined || text === '') return undefined
  const provider = keyProviderNames.find((name) => name === text)
  if (provider === undefined)
    faults.push(`${variable} must be one of ${keyProviderNames.join(', ')}`)
  return provider
}

const parseService = (
  env: Env,
  provider: KeyProviderName,
  variable: string,
  faults: string[],
): RemoteSettings | undefined => {
  if (provider === 'local' || provider === 'key-file') return undefined
  const key = env[variable] ?? ''
  if (key === '') faults.push(`${variable} is missing: name the key of ${provider}`)
  const endpoint = parseEndpoint(env, 'STAGELY_KMS_ENDPOINT', faults)
  switch (provider) {
    case 'aws-kms':
      return { provider, key, endpoint }
    case 'gcp-kms': {
      const fault = key === '' ? undefined : gcpKeyFault(key)
      if (fault !== undefined) faults.push(fault.replace('STAGELY_KMS_KEY', variable))
      return { provider, key, endpoint }
    }
    case 'vault-transit': {
      const fault = key === '' ? undefined : vaultKeyFault(key)
      if (fault !== undefined) faults.push(fault.replace('STAGELY_KMS_KEY', variable))
      return { provider, key, ...parseVault(env, faults) }
    }
  }
}

const parseEndpoint = (env: Env, variable: string, faults: string[]): string | undefined => {
  const text = env[variable]
  if (text === undefined || text === '') return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['https:', 'http:'].includes(url.protocol) || url.username !== '')
    faults.push(`${variable} must be a URL such as https://kms.example.com`)
  return text
}

const parseVault = (
  env: Env,
  faults: string[],
): { endpoint: string; token?: string; tokenFile?: string; namespace?: string } => {
  const endpoint = parseEndpoint(env, 'VAULT_ADDR', faults)
  if (endpoint === undefined) faults.push('VAULT_ADDR is missing: the URL of Vault or OpenBao')
  const token = emptyIsAbsent(env['VAULT_TOKEN'])
  const tokenFile = emptyIsAbsent(env['VAULT_TOKEN_FILE'])
  if (token === undefined && tokenFile === undefined)
    faults.push('VAULT_TOKEN or VAULT_TOKEN_FILE is missing')
  const namespace = emptyIsAbsent(env['VAULT_NAMESPACE'])
  return {
    endpoint: endpoint ?? '',
    ...defined({ token, tokenFile, namespace }),
  }
}

const parseSecretKeys = (env: Env, variable: string, faults: string[]): Buffer[] =>
  (env[variable] ?? '')
    .split(',')
    .filter((text) => text.trim() !== '')
    .flatMap((text) => {
      const key = decodeMasterKey(text)
      if (key !== undefined) return [key]
      faults.push(
        `${variable} must be the base64 of 32 bytes; make one with "openssl rand -base64 32"`,
      )
      return []
    })

const parseCount = (
  env: Env,
  variable: string,
  { fallback, least }: { fallback: number; least: number },
  faults: string[],
): number => {
  const text = env[variable]
  if (text === undefined || text === '') return fallback
  const count = Number(text)
  if (Number.isInteger(count) && count >= least) return count
  faults.push(`${variable} must be a whole number, ${least} or more`)
  return fallback
}

const parseRotation = (env: Env, faults: string[]): boolean => {
  const text = emptyIsAbsent(env['STAGELY_KEY_ROTATION']) ?? 'auto'
  if (text !== 'auto' && text !== 'off') faults.push('STAGELY_KEY_ROTATION must be auto or off')
  return text !== 'off'
}

/** `external`: the database is on a server, so that a key file in the data folder would not do. */
export const parseKeyConfig = (env: Env, external: boolean, faults: string[]): KeyConfig => {
  const provider = parseName(env, 'STAGELY_KEY_PROVIDER', faults) ?? 'local'
  const before = parseName(env, 'STAGELY_KEY_PROVIDER_PREVIOUS', faults)
  const [secretKey, ...more] = parseSecretKeys(env, 'STAGELY_SECRET_KEY', faults)
  if (more.length > 0)
    faults.push(
      'STAGELY_SECRET_KEY must be one key; earlier ones go to STAGELY_SECRET_KEY_PREVIOUS',
    )
  if (provider === 'local' && external && (env['STAGELY_SECRET_KEY'] ?? '') === '')
    faults.push(
      'DATABASE_URL is set but STAGELY_SECRET_KEY is not: make a key with "openssl rand -base64 32", keep it safe, and give every controller of this database the same one',
    )
  const keyFile = emptyIsAbsent(env['STAGELY_KEY_FILE'])
  if (provider === 'key-file' && keyFile === undefined)
    faults.push('STAGELY_KEY_FILE is missing: the path of a file with a key in each line')
  const services = [
    parseService(env, provider, 'STAGELY_KMS_KEY', faults),
    before === undefined
      ? undefined
      : parseService(env, before, 'STAGELY_KMS_KEY_PREVIOUS', faults),
  ]
  const cacheMinutes = { fallback: 60, least: 1 }
  const days = { fallback: 365, least: 1 }
  return {
    provider,
    secretKey,
    previousSecretKeys: parseSecretKeys(env, 'STAGELY_SECRET_KEY_PREVIOUS', faults),
    keyFile,
    providersFile: emptyIsAbsent(env['STAGELY_KEY_PROVIDERS_FILE']),
    providers: emptyIsAbsent(env['STAGELY_KEY_PROVIDERS']),
    vault: {
      endpoint: emptyIsAbsent(env['VAULT_ADDR']),
      token: emptyIsAbsent(env['VAULT_TOKEN']),
      tokenFile: emptyIsAbsent(env['VAULT_TOKEN_FILE']),
    },
    services: services.filter((service) => service !== undefined),
    cacheMs: parseCount(env, 'STAGELY_KEY_CACHE_MINUTES', cacheMinutes, faults) * 60_000,
    rotatesKeys: parseRotation(env, faults),
    rotationMs: parseCount(env, 'STAGELY_KEY_ROTATION_DAYS', days, faults) * dayMs,
  }
}
