// AWS Secrets Manager, by AWS's SDK: signatures, clocks and answers are the SDK's matter.
import {
  BatchGetSecretValueCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  SecretsManagerClient,
  type BatchGetSecretValueResponse,
} from '@aws-sdk/client-secrets-manager'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { defined } from '../../../src/kernel/defined.ts'
import type { ProviderBlock } from '../../../src/kinds/secret-store/providers.ts'
import { byKey, eachInTurn } from '../http.ts'
import type { StoreOpening } from '../opening.ts'
import {
  mostListed,
  StoreFault,
  type Absence,
  type Fetched,
  type Found,
  type KeyListing,
  type VersionsRead,
  type Ref,
  type StoreProvider,
} from '../provider.ts'
import { awsCalls, awsNameOf, type AwsCalls } from './aws-calls.ts'

/** So far may a list be behind, by AWS's documents. */
const lagMs = 300_000
const inPage = 100
/** So few are described one by one: that is of now. */
const few = 10
/** So many that a list lacks are described in one look, in turns: a new one comes into lists late. */
const mostMissed = 20

const limits = { batch: 20, perMinute: 1_200, parallel: 4 }
const missing: Absence = { absent: 'missing' }
const forbidden: Absence = { absent: 'forbidden' }

/** By the ID of a version, its labels. */
type Versions = Readonly<Record<string, readonly string[]>>

const denied = 'AccessDeniedException'
const absenceNamed = (name: string): Absence =>
  name === 'ResourceNotFoundException'
    ? missing
    : name === denied
      ? forbidden
      : { absent: 'refused', why: `AWS answers ${name}` }

/** Of a value that is asked for: mostly its secret is marked for deletion. */
const ofItsState = 'InvalidRequestException'

/** Refusals that are about one secret. */
const ofOne = [
  'ResourceNotFoundException',
  denied,
  'DecryptionFailure',
  ofItsState,
  'InvalidParameterException',
  'ValidationException',
]

const isVersionId = (version: string): boolean => /^[\w-]{32,64}$/.test(version)

const versionIn = (versions: Versions, { version = 'AWSCURRENT' }: Ref): Found | Absence => {
  // A version without a label is in no list, and can be read all the same.
  if (isVersionId(version)) return { version }
  const found = Object.entries(versions).find(([, labels]) => labels.includes(version))
  return found === undefined ? missing : { version: found[0] }
}

interface Context {
  readonly client: SecretsManagerClient
  readonly calls: AwsCalls
  /** False once AWS has said that the credential may not do so. */
  readonly may: { list: boolean; batch: boolean }
  /** Pages of the last list. */
  pages: number
  /** How many that lists lacked were described so far. */
  missed: number
}

/** The next of those that the list lacks. */
const nextMissed = (context: Context, keys: readonly string[]): string[] => {
  const count = Math.min(mostMissed, keys.length)
  const from = context.missed
  context.missed += count
  return Array.from({ length: count }, (_, i) => keys[(from + i) % keys.length]!)
}

const describe = async (
  { client, calls }: Context,
  key: string,
  signal: AbortSignal,
): Promise<Versions | Absence> => {
  const command = new DescribeSecretCommand({ SecretId: key })
  try {
    const answer = await calls.send((options) => client.send(command, options), signal, ofOne)
    return answer.DeletedDate === undefined ? (answer.VersionIdsToStages ?? {}) : missing
  } catch (error) {
    const name = awsNameOf(error)
    if (error instanceof StoreFault || name === undefined) throw error
    return absenceNamed(name)
  }
}

type Named = { readonly Name?: string | undefined; readonly ARN?: string | undefined }
const namesOf = ({ Name, ARN }: Named): string[] => [Name, ARN].filter((name) => name !== undefined)

/** Versions by name and by ARN; undefined: the credential may not list. */
const listAll = async (
  context: Context,
  signal: AbortSignal,
): Promise<Map<string, Versions> | undefined> => {
  const { client, calls } = context
  const all = new Map<string, Versions>()
  let token: string | undefined
  let pages = 0
  try {
    do {
      const page = { MaxResults: inPage, ...defined({ NextToken: token }) }
      const send = (options: { abortSignal: AbortSignal }) =>
        client.send(new ListSecretsCommand(page), options)
      const answer = await calls.send(send, signal, [denied])
      for (const secret of answer.SecretList ?? [])
        for (const name of namesOf(secret)) all.set(name, secret.SecretVersionsToStages ?? {})
      token = answer.NextToken
      pages += 1
    } while (token !== undefined)
  } catch (error) {
    if (awsNameOf(error) !== denied) throw error
    context.may.list = false
    return undefined
  }
  context.pages = pages
  return all
}

const readVersions = async (
  context: Context,
  refs: readonly Ref[],
  signal: AbortSignal,
): Promise<VersionsRead> => {
  const keys = [...new Set(refs.map(({ key }) => key))]
  const isWorthAList = context.may.list && keys.length > Math.max(few, context.pages)
  const listed = isWorthAList ? await listAll(context, signal) : undefined
  const asked =
    listed === undefined
      ? keys
      : nextMissed(
          context,
          keys.filter((key) => !listed.has(key)),
        )
  const described = new Map(
    await eachInTurn(asked, limits.parallel, async (key) => {
      return [key, await describe(context, key, signal)] as const
    }),
  )
  const answersFor = (ref: Ref): (readonly [Ref, Found | Absence])[] => {
    const versions = described.get(ref.key) ?? listed?.get(ref.key)
    if (versions === undefined) return []
    return [[ref, 'absent' in versions ? (versions as Absence) : versionIn(versions, ref)]]
  }
  return {
    versions: new Map(refs.flatMap(answersFor)),
    lagMs: listed === undefined ? 0 : lagMs,
  }
}

interface Secret {
  readonly ARN?: string | undefined
  readonly Name?: string | undefined
  readonly VersionId?: string | undefined
  readonly SecretString?: string | undefined
  readonly SecretBinary?: Uint8Array | undefined
}

const fetched = ({ VersionId, SecretString, SecretBinary }: Secret): Fetched => {
  const value = SecretString ?? SecretBinary
  if (VersionId === undefined || value === undefined)
    throw new StoreFault('Malformed', 'AWS answers without a version or a value')
  return { version: VersionId, value: Buffer.from(value as string) }
}

const getOne = async (
  context: Context,
  { key, version }: Ref,
  signal: AbortSignal,
): Promise<Fetched | Absence> => {
  const { client, calls } = context
  const by = isVersionId(version ?? '') ? 'VersionId' : 'VersionStage'
  const command = new GetSecretValueCommand({ SecretId: key, [by]: version })
  try {
    return fetched(await calls.send((options) => client.send(command, options), signal, ofOne))
  } catch (error) {
    const name = awsNameOf(error)
    if (error instanceof StoreFault || name === undefined) throw error
    if (name === ofItsState && (await describe(context, key, signal)) === missing) return missing
    return absenceNamed(name)
  }
}

/** One call; undefined: the credential may not ask for many at once. */
const getBatch = async (
  context: Context,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Fetched | Absence> | undefined> => {
  const { client, calls } = context
  const command = new BatchGetSecretValueCommand({ SecretIdList: [...keys] })
  let answer: BatchGetSecretValueResponse
  try {
    answer = await calls.send((options) => client.send(command, options), signal, [denied])
  } catch (error) {
    if (awsNameOf(error) === denied) {
      context.may.batch = false
      return undefined
    }
    // Twenty values may be longer than what the gate takes in.
    if (!(error instanceof StoreFault) || error.kind !== 'Malformed' || keys.length === 1)
      throw error
    const half = keys.length >> 1
    const [first, second] = [
      await getBatch(context, keys.slice(0, half), signal),
      await getBatch(context, keys.slice(half), signal),
    ]
    return new Map([...(first ?? []), ...(second ?? [])])
  }
  const found = new Map<string, Fetched | Absence>()
  for (const secret of answer.SecretValues ?? [])
    for (const name of namesOf(secret)) found.set(name, fetched(secret))
  for (const { SecretId, ErrorCode } of answer.Errors ?? [])
    if (SecretId !== undefined && ErrorCode !== ofItsState && ofOne.includes(ErrorCode ?? ''))
      found.set(SecretId, absenceNamed(ErrorCode!))
  return found
}

const fetch = async (
  context: Context,
  refs: readonly Ref[],
  signal: AbortSignal,
): Promise<Map<Ref, Fetched | Absence>> => {
  const newest = refs.filter(({ version }) => version === undefined).map(({ key }) => key)
  const keys = [...new Set(newest)]
  const batch =
    keys.length > 1 && context.may.batch ? await getBatch(context, keys, signal) : undefined
  // What a batch does not tell of is asked alone.
  const alone = refs.filter((ref) => ref.version !== undefined || batch?.has(ref.key) !== true)
  const ones = await byKey(
    alone,
    ({ key, version }) => `${key}\0${version ?? ''}`,
    (some) => eachInTurn(some, limits.parallel, (ref) => getOne(context, ref, signal)),
  )
  return new Map(refs.map((ref) => [ref, ones.get(ref) ?? batch!.get(ref.key)!]))
}

const list = async (
  { client, calls }: Context,
  prefix: string,
  signal: AbortSignal,
): Promise<KeyListing> => {
  const keys: string[] = []
  let token: string | undefined
  do {
    const command = new ListSecretsCommand({
      MaxResults: inPage,
      ...(prefix !== '' && { Filters: [{ Key: 'name', Values: [prefix] }] }),
      ...defined({ NextToken: token }),
    })
    const answer = await calls.send((options) => client.send(command, options), signal)
    for (const { Name } of answer.SecretList ?? []) if (Name?.startsWith(prefix)) keys.push(Name)
    token = answer.NextToken
  } while (token !== undefined && keys.length <= mostListed)
  return { keys: keys.sort().slice(0, mostListed), isCut: keys.length > mostListed }
}

export const openAws = (
  { region, endpoint, stsEndpoint, caBundle }: ProviderBlock<'aws'>,
  opening: StoreOpening,
): StoreProvider => {
  const calls = awsCalls(opening, region, caBundle)
  const client = new SecretsManagerClient({ ...calls.config, ...defined({ endpoint }) })
  const sts = new STSClient({ ...calls.config, ...defined({ endpoint: stsEndpoint }) })
  const context: Context = { client, calls, may: { list: true, batch: true }, pages: 0, missed: 0 }
  return {
    limits,
    whoAmI: async (signal) => {
      const command = new GetCallerIdentityCommand({})
      const { Arn } = await calls.send((options) => sts.send(command, options), signal)
      if (Arn === undefined) throw new StoreFault('Malformed', 'AWS does not say who this is')
      return Arn
    },
    readVersions: (refs, _, signal) => readVersions(context, refs, signal),
    fetch: (refs, signal) => fetch(context, refs, signal),
    list: (prefix, signal) => list(context, prefix, signal),
    close: () => {
      client.destroy()
      sts.destroy()
      return Promise.resolve()
    },
  }
}
