// STAGELY_KEY_PROVIDERS and STAGELY_KEY_PROVIDERS_FILE: keys that projects may name in
// spec.keyProvider, each with its own provider. They hold no key and no token, only their locations.
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import * as z from 'zod'
import { append } from '../../src/kernel/append.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import {
  awsKeyArnFault,
  gcpKeyFault,
  vaultKeyFault,
} from '../../src/secrets/providers/key-names.ts'
import type { ProjectKeySettings } from '../../src/secrets/providers/open-provider.ts'
import type { KeyProviderSettings } from '../../src/secrets/providers/settings.ts'
import { ConfigError } from '../config-error.ts'
import type { KeyConfig } from './key-config.ts'
import { readKeyFile } from './key-file.ts'

const teams = z.array(z.string().min(1)).min(1).optional()
const url = z
  .url({ protocol: /^https?$/, error: 'must be a URL such as https://kms.example.com' })
  .refine((text) => new URL(text).username === '' && new URL(text).password === '', {
    error: 'must hold no user and no password',
  })
/** Checks that a name has the form that its service requires. */
const keyOf = (fault: (key: string) => string | undefined) =>
  z.string().superRefine((key, context) => {
    const message = fault(key)?.replace('STAGELY_KMS_KEY ', '')
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })

const provider = z.discriminatedUnion('provider', [
  z.strictObject({ provider: z.literal('key-file'), file: z.string().min(1), teams }),
  z.strictObject({
    provider: z.literal('aws-kms'),
    key: keyOf(awsKeyArnFault),
    endpoint: url.optional(),
    teams,
  }),
  z.strictObject({
    provider: z.literal('gcp-kms'),
    key: keyOf(gcpKeyFault),
    endpoint: url.optional(),
    teams,
  }),
  z.strictObject({
    provider: z.literal('vault-transit'),
    key: keyOf(vaultKeyFault),
    endpoint: url.optional(),
    namespace: z.string().min(1).optional(),
    token_file: z.string().min(1).optional(),
    teams,
  }),
])
type Provider = z.infer<typeof provider>

const name = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'a name is lower case letters, digits and "-"')
const file = z.record(name, provider)

const settingsOf = async (
  own: Provider,
  vault: KeyConfig['vault'],
): Promise<KeyProviderSettings | string> => {
  switch (own.provider) {
    case 'key-file': {
      const keys = await readKeyFile(own.file)
      return keys === undefined ? `${own.file} does not exist` : { provider: 'key-file', keys }
    }
    case 'aws-kms':
    case 'gcp-kms':
      return { provider: own.provider, key: own.key, endpoint: own.endpoint }
    case 'vault-transit': {
      const endpoint = own.endpoint ?? vault.endpoint
      const tokenFile = own.token_file ?? vault.tokenFile
      const token = own.token_file === undefined ? vault.token : undefined
      if (endpoint === undefined) return 'endpoint is missing, and VAULT_ADDR too'
      // A token of one Vault must not be sent to another.
      if (endpoint !== vault.endpoint && own.token_file === undefined)
        return 'token_file is missing: VAULT_TOKEN and VAULT_TOKEN_FILE are for VAULT_ADDR alone'
      if (tokenFile === undefined && token === undefined)
        return 'token_file is missing, and VAULT_TOKEN and VAULT_TOKEN_FILE too'
      const { provider: vaultTransit, key, namespace } = own
      return { provider: vaultTransit, key, endpoint, token, tokenFile, namespace }
    }
  }
}

const decode = (text: string, what: string): Record<string, Provider> => {
  let given: unknown
  try {
    given = parse(text)
  } catch (error) {
    throw new ConfigError([`${what}: ${messageOf(error)}`])
  }
  const decoded = file.safeParse(given)
  if (decoded.success) return decoded.data
  throw new ConfigError(
    decoded.error.issues.map(({ path: at, message }) => `${what}: ${at.join('.')}: ${message}`),
  )
}

const readText = async ({
  providersFile: path,
  providers: text,
}: Given): Promise<{ text: string; what: string } | undefined> => {
  if (path === undefined)
    return text === undefined ? undefined : { text, what: 'STAGELY_KEY_PROVIDERS' }
  if (text !== undefined)
    throw new ConfigError(['give one of STAGELY_KEY_PROVIDERS and STAGELY_KEY_PROVIDERS_FILE'])
  const read = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new ConfigError([`STAGELY_KEY_PROVIDERS_FILE ${path}: ${messageOf(error)}`])
  })
  return { text: read, what: path }
}

type Given = Pick<KeyConfig, 'providersFile' | 'providers' | 'vault' | 'services'>

/**
 * Keys of two Vaults with the same MOUNT/KEY. A wrapped text names only MOUNT/KEY, so it could be sent
 * to the wrong Vault.
 */
const twins = (keys: readonly ProjectKeySettings[], services: Given['services']): string[] => {
  const faults: string[] = []
  const firstUses = new Map<string, { name: string; where: string }>()
  const all = [
    ...services.map((settings) => ({ name: 'the master key', settings })),
    ...keys.map(({ name: named, settings }) => ({ name: named, settings })),
  ]
  for (const { name: named, settings } of all) {
    if (settings.provider !== 'vault-transit') continue
    const where = `${settings.endpoint} ${settings.namespace ?? ''}`
    const other = firstUses.get(settings.key)
    if (other !== undefined && other.where !== where)
      faults.push(
        `${named}: key ${settings.key} is that of ${other.name} in another Vault too: keys of two Vaults need different names`,
      )
    firstUses.set(settings.key, other ?? { name: named, where })
  }
  return faults
}

/** Empty when none are configured. ConfigError with all faults. */
export const readProjectKeys = async (given: Given): Promise<ProjectKeySettings[]> => {
  const found = await readText(given)
  if (found === undefined) return []
  const { text, what } = found
  const faults: string[] = []
  const keys: ProjectKeySettings[] = []
  for (const [named, own] of Object.entries(decode(text, what))) {
    const settings = await settingsOf(own, given.vault).catch((error: unknown) => messageOf(error))
    if (typeof settings === 'string') faults.push(`${what}: ${named}: ${settings}`)
    else keys.push({ name: named, teams: own.teams, settings })
  }
  append(
    faults,
    twins(keys, given.services).map((fault) => `${what}: ${fault}`),
  )
  if (faults.length > 0) throw new ConfigError(faults)
  return keys
}
