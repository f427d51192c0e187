// Google Cloud Secret Manager, by its REST interface.
// API: cloud.google.com/secret-manager/docs/reference/rest
import * as z from 'zod'
import { append } from '../../../src/kernel/append.ts'
import type { ProviderBlock } from '../../../src/kinds/secret-store/providers.ts'
import { byKey, eachInTurn, readAs, unexpected, type StoreAnswer, type StoreHttp } from '../http.ts'
import type { StoreOpening } from '../opening.ts'
import {
  mostListed,
  StoreFault,
  type Absence,
  type Fetched,
  type Found,
  type Ref,
  type StoreProvider,
} from '../provider.ts'
import { googleTokens } from './google-tokens.ts'

const name = 'Google Secret Manager'
const versionInfo = z.object({
  name: z.string().regex(/\/versions\/\d+$/),
  createTime: z.string(),
  state: z.string(),
})
const accessed = z.object({ name: z.string(), payload: z.object({ data: z.string().default('') }) })
const listed = z.object({
  secrets: z.array(z.object({ name: z.string() })).default([]),
  nextPageToken: z.string().optional(),
})
const refusal = z.object({ error: z.object({ status: z.string() }) })

const limits = { batch: 20, perMinute: 600, parallel: 4 }
const missing: Absence = { absent: 'missing' }
const forbidden: Absence = { absent: 'forbidden' }
const refused = (why: string): Absence => ({ absent: 'refused', why })

/** Google's own refusals alone count: what stands before it answers in another form. */
const absenceOf = ({ status, json }: StoreAnswer): Absence | undefined => {
  const read = refusal.safeParse(json)
  const word = read.success ? read.data.error.status : ''
  if (word === 'NOT_FOUND') return missing
  if (word === 'PERMISSION_DENIED') return forbidden
  if (word === 'FAILED_PRECONDITION') return refused('this version is disabled or destroyed')
  if (word === 'INVALID_ARGUMENT') return refused('Google does not take this name')
  if (status !== 200) throw unexpected(name, status)
  return undefined
}

interface Seen extends Found {
  readonly number: string
}

interface Context {
  readonly send: StoreHttp
  readonly projectId: string
}

const pathOf = ({ projectId }: Context, key: string): string =>
  `/v1/projects/${projectId}/secrets/${encodeURIComponent(key)}/versions`

const lookAt = async (
  context: Context,
  { key, version = 'latest' }: Ref,
  signal: AbortSignal,
): Promise<Seen | Absence> => {
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(key)) return refused('Google has no such names')
  const path = `${pathOf(context, key)}/${encodeURIComponent(version)}`
  const answer = await context.send({ path }, signal)
  const absence = absenceOf(answer)
  if (absence !== undefined) return absence
  const info = readAs(versionInfo, name, answer)
  const number = info.name.slice(info.name.lastIndexOf('/') + 1)
  if (info.state === 'DESTROYED') return missing
  if (info.state !== 'ENABLED') return refused(`version ${number} is disabled`)
  // A secret that was deleted and made again counts from 1 again.
  return { version: `${number} of ${info.createTime}`, number }
}

const fetchOne = async (
  context: Context,
  ref: Ref,
  signal: AbortSignal,
): Promise<Fetched | Absence> => {
  const found = await lookAt(context, ref, signal)
  if ('absent' in found) return found
  const path = `${pathOf(context, ref.key)}/${found.number}:access`
  const answer = await context.send({ path }, signal)
  const absence = absenceOf(answer)
  if (absence !== undefined) return absence
  const { data } = readAs(accessed, name, answer).payload
  return { version: found.version, value: Buffer.from(data, 'base64') }
}

const each = <T>(
  refs: readonly Ref[],
  work: (ref: Ref) => Promise<T>,
): Promise<ReadonlyMap<Ref, T>> =>
  byKey(
    refs,
    ({ key, version }) => `${key}\0${version ?? ''}`,
    (some) => eachInTurn(some, limits.parallel, work),
  )

export const openGcp = (
  {
    projectId,
    endpoint: address = 'https://secretmanager.googleapis.com',
    caBundle,
  }: ProviderBlock<'gcp'>,
  opening: StoreOpening,
): StoreProvider => {
  const call = opening.http({ name, address, ca: caBundle })
  const tokens = googleTokens(opening)
  const send: StoreHttp = async (request, signal) => {
    const headers = { authorization: `Bearer ${await tokens.token(signal)}` }
    return call({ ...request, headers }, signal)
  }
  const context: Context = { send, projectId }
  return {
    limits,
    whoAmI: async (signal) => {
      // Whether the project may be listed does not matter: only who is asking does.
      const { status, json } = await send(
        { path: `/v1/projects/${projectId}/secrets?pageSize=1` },
        signal,
      )
      if (status !== 200 && !refusal.safeParse(json).success) throw unexpected(name, status)
      return tokens.identity()
    },
    readVersions: async (refs, _, signal) => ({
      versions: await each(refs, async (ref) => {
        const found = await lookAt(context, ref, signal)
        return 'absent' in found ? found : { version: found.version }
      }),
      lagMs: 0,
    }),
    fetch: (refs, signal) => each(refs, (ref) => fetchOne(context, ref, signal)),
    list: async (prefix, signal) => {
      const keys: string[] = []
      let page: string | undefined = ''
      while (page !== undefined && keys.length <= mostListed) {
        const asked = new URLSearchParams({ pageSize: '250', pageToken: page })
        const path = `/v1/projects/${projectId}/secrets?${asked.toString()}`
        const answer = await send({ path }, signal)
        if (absenceOf(answer) !== undefined)
          throw new StoreFault('Unavailable', 'the credential may not list secrets of the project')
        const read = readAs(listed, name, answer)
        const found = read.secrets.map(({ name: path }) => path.slice(path.lastIndexOf('/') + 1))
        append(
          keys,
          found.filter((key) => key.startsWith(prefix)),
        )
        page = read.nextPageToken === '' ? undefined : read.nextPageToken
      }
      return { keys: keys.sort().slice(0, mostListed), isCut: keys.length > mostListed }
    },
    close: () => Promise.resolve(),
  }
}
