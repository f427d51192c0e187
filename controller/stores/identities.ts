// STAGELY_STORE_IDENTITIES and STAGELY_STORE_IDENTITIES_FILE: what stores may use of this machine, its
// identity in a cloud, files with credentials, and programs. An admin's file grants each to teams. It
// holds no credential, only where one is.
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import * as z from 'zod'
import { messageOf, StagelyError } from '../../src/kernel/errors.ts'
import { providerNames, type ProviderSpec } from '../../src/kinds/secret-store/providers.ts'
import type { SecretStoreSpec } from '../../src/kinds/secret-store/schema.ts'
import { ConfigError } from '../config-error.ts'

const identity = z
  .strictObject({
    provider: z.enum(providerNames),
    teams: z.array(z.string().min(1)).min(1),
    address: z.url({ protocol: /^https?$/, error: 'must be a URL' }).optional(),
    credential_file: z.string().startsWith('/', 'must be a whole path').optional(),
  })
  .superRefine(({ provider, address, credential_file: file }, context) => {
    const fault = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message })
    const isOfCloud = provider === 'aws' || provider === 'gcp'
    if (file === undefined && !isOfCloud && provider !== 'command')
      fault('credential_file', `is missing: ${provider} knows no identity of a machine`)
    if (address === undefined && !isOfCloud && provider !== 'command')
      fault('address', 'is missing: the credential is sent nowhere else')
    if (address !== undefined && provider === 'command') fault('address', 'a program has none')
  })
const name = z
  .string()
  .max(63)
  .regex(/^[a-zA-Z0-9]([\w.-]*[a-zA-Z0-9])?$/, 'a name is letters, digits, "_", "." and "-"')
const file = z.record(name, identity)

/** How the controller itself gets in; it holds no credential, only where one is. */
export interface StoreIdentity {
  /** For `command`, the name of the program. */
  readonly name: string
  readonly provider: (typeof providerNames)[number]
  /** Teams (namespaces) whose stores may use the identity. */
  readonly teams: readonly string[]
  /** The only address that the credential is sent to. */
  readonly address?: string | undefined
  /** File that holds what `auth.secretRef` would hold; undefined: the cloud's own way. */
  readonly credentialFile?: string | undefined
}

export interface IdentityConfig {
  /** Path of the file. */
  readonly file: string | undefined
  /** Its text, in place of the file. */
  readonly text: string | undefined
}

const readText = async ({
  file: path,
  text,
}: IdentityConfig): Promise<[string, string] | undefined> => {
  if (path !== undefined && text !== undefined)
    throw new ConfigError([
      'give one of STAGELY_STORE_IDENTITIES and STAGELY_STORE_IDENTITIES_FILE',
    ])
  if (path === undefined) return text === undefined ? undefined : ['STAGELY_STORE_IDENTITIES', text]
  const read = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new ConfigError([`STAGELY_STORE_IDENTITIES_FILE ${path}: ${messageOf(error)}`])
  })
  return [path, read]
}

/** Empty when none are configured. ConfigError with all faults. */
export const readStoreIdentities = async (config: IdentityConfig): Promise<StoreIdentity[]> => {
  const found = await readText(config)
  if (found === undefined) return []
  const [what, text] = found
  let given: unknown
  try {
    given = parse(text)
  } catch (error) {
    throw new ConfigError([`${what}: ${messageOf(error)}`])
  }
  const decoded = file.safeParse(given)
  if (!decoded.success)
    throw new ConfigError(
      decoded.error.issues.map(({ path, message }) => `${what}: ${path.join('.')}: ${message}`),
    )
  return Object.entries(decoded.data).map(([named, own]) => ({
    name: named,
    provider: own.provider,
    teams: own.teams,
    address: own.address,
    credentialFile: own.credential_file,
  }))
}

const refusal = (message: string): StagelyError => new StagelyError('Forbidden', message)
const sameUrl = (a: string, b: string): boolean => a.replace(/\/+$/, '') === b.replace(/\/+$/, '')

/** Addresses of the block to which a credential goes. */
const addressesOf = (block: object): string[] =>
  ['address', 'endpoint', 'stsEndpoint'].flatMap((field) => {
    const value = (block as Record<string, unknown>)[field]
    return typeof value === 'string' ? [value] : []
  })

/** AWS's own addresses of SQS in the region. */
const isQueueOfAws = (url: string, region: string): boolean => {
  const { protocol, hostname } = new URL(url)
  const own = new RegExp(
    `^(sqs|sqs-fips)\\.${region}\\.(amazonaws\\.com|amazonaws\\.com\\.cn|api\\.aws)$`,
  )
  return protocol === 'https:' && own.test(hostname)
}

/** A queue of notifications gets requests that the credential signs. */
const isQueueOfOtherAccount = ({ aws, push }: Granted, address: string | undefined): boolean => {
  const url = push?.sqs?.queueUrl
  if (url === undefined || aws === undefined) return false
  return address === undefined
    ? !isQueueOfAws(url, aws.region)
    : new URL(url).origin !== new URL(address).origin
}

type Granted = ProviderSpec & Pick<SecretStoreSpec, 'auth' | 'push'>

/**
 * What the store may use of this machine; undefined: it asks for nothing. Forbidden where the admin's
 * file does not grant it to the team: an identity that is another team's is not told from none.
 */
export const grantedIdentity = (
  identities: readonly StoreIdentity[],
  namespace: string,
  spec: Granted,
): StoreIdentity | undefined => {
  const provider = providerNames.find((name) => spec[name] !== undefined)
  const wanted = spec.auth?.identity ?? spec.command?.name
  if (wanted === undefined || provider === undefined) return undefined
  const what = spec.auth?.identity === undefined ? 'program' : 'identity'
  const found = identities.find(
    (identity) =>
      identity.name === wanted &&
      identity.provider === provider &&
      identity.teams.includes(namespace),
  )
  if (found === undefined)
    throw refusal(
      `no ${what} "${wanted}" for ${provider} is granted to team ${namespace}: whoever runs the controller may do so (STAGELY_STORE_IDENTITIES)`,
    )
  if (provider === 'command' && spec.command?.name !== wanted)
    throw refusal(`identity "${wanted}" is of another program`)
  const { address } = found
  const elsewhere = addressesOf(spec[provider]!).some(
    (url) => address === undefined || !sameUrl(url, address),
  )
  if (elsewhere || isQueueOfOtherAccount(spec, address))
    throw refusal(
      `identity "${wanted}" is for ${address ?? "the cloud's own address"} alone: its credential is sent nowhere else`,
    )
  return found
}
