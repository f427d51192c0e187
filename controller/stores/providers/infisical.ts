// Infisical: one call brings all secrets of a folder, with their values. Where nothing has changed, the
// values are dropped at once.
// API: infisical.com/docs/api-reference
import * as z from 'zod'
import { lazy } from '../../../src/kernel/lazy.ts'
import type { ProviderBlock } from '../../../src/kinds/secret-store/providers.ts'
import { eachInTurn, readAs, unexpected, type StoreAnswer, type StoreHttp } from '../http.ts'
import type { StoreOpening } from '../opening.ts'
import {
  mostListed,
  StoreFault,
  type Absence,
  type Fetched,
  type Ref,
  type StoreProvider,
} from '../provider.ts'
import { valueMarks } from '../value-marks.ts'

const name = 'Infisical'
const login = z.object({ accessToken: z.string().min(1), expiresIn: z.number() })
const secret = z.object({
  secretKey: z.string(),
  secretValue: z.string(),
  secretPath: z.string().optional(),
  secretValueHidden: z.boolean().optional(),
})
const listed = z.object({
  secrets: z.array(secret),
  imports: z.array(z.object({ secrets: z.array(secret) })).optional(),
})
const notFound = z.object({ statusCode: z.literal(404) })

const limits = { batch: 1_000, perMinute: 200, parallel: 2 }
const missing: Absence = { absent: 'missing' }
const forbidden: Absence = { absent: 'forbidden' }

/** `db/PASSWORD` and `/db/PASSWORD` are PASSWORD of the folder `/db`. */
const splitKey = (key: string): { folder: string; own: string } => {
  const path = key.startsWith('/') ? key : `/${key}`
  const at = path.lastIndexOf('/')
  return { folder: at === 0 ? '/' : path.slice(0, at), own: path.slice(at + 1) }
}

type Folder = ReadonlyMap<string, Fetched | Absence>

/** Calls with a token that is borrowed, and borrowed anew at half its time. */
const openSession = (
  clientId: string,
  opening: StoreOpening,
  call: StoreHttp,
): { send: StoreHttp; logIn: (signal: AbortSignal) => Promise<unknown> } => {
  let token: { readonly text: string; readonly renewAt: number } | undefined
  const isUsable = (): boolean => token !== undefined && opening.clock.now() < token.renewAt

  const logIn = async (signal: AbortSignal): Promise<string> => {
    const body = { clientId, clientSecret: await opening.credential() }
    const request = { method: 'POST', path: '/api/v1/auth/universal-auth/login', body } as const
    const answer = await call(request, signal)
    const { status, json } = answer
    if (status === 400 || status === 403 || notFound.safeParse(json).success)
      throw new StoreFault(
        'Unauthorized',
        `Infisical refuses the login with Universal Auth (status ${status})`,
      )
    if (status !== 200) throw unexpected(name, status)
    const { accessToken, expiresIn } = readAs(login, name, answer)
    token = { text: accessToken, renewAt: opening.clock.now() + expiresIn * 500 }
    return accessToken
  }

  const send: StoreHttp = async (request, signal) => {
    const isOld = isUsable()
    const text = isOld ? token!.text : await logIn(signal)
    const withToken = (token: string) =>
      call({ ...request, headers: { authorization: `Bearer ${token}` } }, signal)
    try {
      return await withToken(text)
    } catch (error) {
      if (!(error instanceof StoreFault) || error.kind !== 'Unauthorized') throw error
      token = undefined
      if (!isOld) throw error
      return withToken(await logIn(signal))
    }
  }
  return { send, logIn }
}

interface Context {
  readonly send: StoreHttp
  readonly block: ProviderBlock<'infisical'>
  readonly mark: () => Promise<ReturnType<typeof valueMarks>>
}

const ask = (
  { send, block: { projectId, environment } }: Context,
  path: string,
  what: { recursive: boolean; values: boolean },
  signal: AbortSignal,
): Promise<StoreAnswer> => {
  const asked = new URLSearchParams({
    projectId,
    environment,
    secretPath: path,
    recursive: String(what.recursive),
    viewSecretValue: String(what.values),
    expandSecretReferences: String(what.values),
    includeImports: String(what.values),
  })
  return send({ path: `/api/v4/secrets?${asked.toString()}` }, signal)
}

const readFolder = async (
  context: Context,
  folder: string,
  signal: AbortSignal,
): Promise<Folder | Absence> => {
  const answer = await ask(context, folder, { recursive: false, values: true }, signal)
  if (answer.status === 403) return forbidden
  // Only Infisical itself says so in this form; what stands before it does not.
  if (answer.status === 404 && notFound.safeParse(answer.json).success) return missing
  if (answer.status !== 200) throw unexpected(name, answer.status)
  const { secrets, imports = [] } = readAs(listed, name, answer)
  const found = new Map<string, Fetched | Absence>()
  const mark = await context.mark()
  // A later import counts more than one before it, and the folder's own count most.
  for (const secret of [...imports.flatMap((from) => from.secrets), ...secrets]) {
    const version = mark(secret.secretKey, secret.secretValue)
    found.set(
      secret.secretKey,
      secret.secretValueHidden === true
        ? forbidden
        : { version, value: Buffer.from(secret.secretValue) },
    )
  }
  return found
}

const fetch = async (
  context: Context,
  refs: readonly Ref[],
  signal: AbortSignal,
): Promise<Map<Ref, Fetched | Absence>> => {
  const names = [...new Set(refs.map(({ key }) => splitKey(key).folder))]
  const folders = new Map(
    await eachInTurn(names, limits.parallel, async (folder) => {
      return [folder, await readFolder(context, folder, signal)] as const
    }),
  )
  const answerFor = ({ key, version }: Ref): Fetched | Absence => {
    if (version !== undefined)
      return { absent: 'refused', why: 'a version of Infisical cannot be named' }
    const { folder, own } = splitKey(key)
    const secrets = folders.get(folder)!
    return 'absent' in secrets ? secrets : (secrets.get(own) ?? missing)
  }
  return new Map(refs.map((ref) => [ref, answerFor(ref)]))
}

export const openInfisical = (
  block: ProviderBlock<'infisical'>,
  opening: StoreOpening,
): StoreProvider => {
  const call = opening.http({ name, address: block.address, ca: block.caBundle })
  const { send, logIn } = openSession(block.clientId, opening, call)
  const mark = lazy(async () => valueMarks(await opening.credential()))
  const context: Context = { send, block, mark }
  return {
    limits,
    whoAmI: async (signal) => {
      await logIn(signal)
      return `the machine identity with client ID ${block.clientId}`
    },
    readVersions: async (refs, _, signal) => {
      const answers = [...(await fetch(context, refs, signal))]
      const versions = answers.map(
        ([ref, answer]) =>
          [ref, 'absent' in answer ? answer : { version: answer.version }] as const,
      )
      return { versions: new Map(versions), lagMs: 0 }
    },
    fetch: (refs, signal) => fetch(context, refs, signal),
    list: async (prefix, signal) => {
      const answer = await ask(context, '/', { recursive: true, values: false }, signal)
      if (answer.status !== 200) throw unexpected(name, answer.status)
      const keys = readAs(listed, name, answer)
        .secrets.map(({ secretPath = '/', secretKey }) =>
          `${secretPath}/${secretKey}`.replace(/\/{2,}/g, '/'),
        )
        .map((key) => (prefix.startsWith('/') ? key : key.slice(1)))
        .filter((key) => key.startsWith(prefix))
      return { keys: keys.sort().slice(0, mostListed), isCut: keys.length > mostListed }
    },
    close: () => Promise.resolve(),
  }
}
