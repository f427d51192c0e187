// Doppler: one call brings a whole config, with its values; an unchanged one is answered with 304.
// API: docs.doppler.com/reference
import * as z from 'zod'
import { lazy } from '../../../src/kernel/lazy.ts'
import type { ProviderBlock } from '../../../src/kinds/secret-store/providers.ts'
import { readAs, unexpected, type StoreAnswer } from '../http.ts'
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
import { valueMarks } from '../value-marks.ts'

const name = 'Doppler'
const me = z.object({
  type: z.string().optional(),
  name: z.string().nullish(),
  workplace: z.object({ name: z.string() }).optional(),
})
const config = z.record(z.string(), z.string().nullable())
const refusal = z.object({ success: z.literal(false) })
/** What Doppler itself adds to each config. */
const added = /^DOPPLER_(PROJECT|CONFIG|ENVIRONMENT)$/

const limits = { batch: 1_000, perMinute: 240, parallel: 1 }
const missing: Absence = { absent: 'missing' }
const forbidden: Absence = { absent: 'forbidden' }

type Config = Readonly<Record<string, string | null>>
type Read = { readonly config: 'same' | 'forbidden' | Config; readonly etag?: string | undefined }
type Send = (
  path: string,
  signal: AbortSignal,
  headers?: Record<string, string>,
) => Promise<StoreAnswer>

const readConfig = async (
  send: Send,
  { project, config: ofProject }: ProviderBlock<'doppler'>,
  signal: AbortSignal,
  etag?: string,
): Promise<Read> => {
  const asked = new URLSearchParams({ format: 'json', project, config: ofProject })
  const path = `/v3/configs/config/secrets/download?${asked.toString()}`
  const answer = await send(path, signal, etag === undefined ? {} : { 'if-none-match': etag })
  if (answer.status === 304 && etag !== undefined) return { config: 'same', etag }
  if (answer.status === 403) return { config: 'forbidden' }
  if (answer.status === 404 && refusal.safeParse(answer.json).success)
    throw new StoreFault(
      'Unavailable',
      'Doppler knows no such config: check doppler.project and doppler.config',
    )
  if (answer.status !== 200) throw unexpected(name, answer.status)
  return { config: readAs(config, name, answer), etag: answer.headers['etag'] }
}

const answerFor = <T>({ version }: Ref, found: T | undefined): T | Absence =>
  version !== undefined
    ? { absent: 'refused', why: 'Doppler names no versions of a secret' }
    : (found ?? missing)

export const openDoppler = (
  block: ProviderBlock<'doppler'>,
  opening: StoreOpening,
): StoreProvider => {
  const call = opening.http({ name, address: block.address, ca: block.caBundle })
  const marks = lazy(async () => valueMarks(await opening.credential()))
  /** Of the last look; no value. */
  let last: { readonly etag: string; readonly marks: ReadonlyMap<string, string> } | undefined
  const send: Send = async (path, signal, headers = {}) => {
    const authorization = `Bearer ${await opening.credential()}`
    return call({ path, headers: { ...headers, authorization } }, signal)
  }
  const read = (signal: AbortSignal, etag?: string) => readConfig(send, block, signal, etag)

  const marksOf = async (secrets: Config) => {
    const mark = await marks()
    const found = new Map<string, string>()
    for (const [key, value] of Object.entries(secrets))
      if (value !== null) found.set(key, mark(key, value))
    return found
  }

  return {
    limits,
    whoAmI: async (signal) => {
      const answer = await send('/v3/me', signal)
      if (answer.status !== 200) throw unexpected(name, answer.status)
      const { type = 'token', name: own, workplace } = readAs(me, name, answer)
      const of = workplace === undefined ? '' : ` of ${workplace.name}`
      return `${type.replaceAll('_', ' ')}${own ? ` ${own}` : ''}${of}`
    },
    readVersions: async (refs, _, signal) => {
      const { config: secrets, etag } = await read(signal, last?.etag)
      if (secrets === 'forbidden')
        return { versions: new Map(refs.map((ref) => [ref, forbidden])), lagMs: 0 }
      const now = secrets === 'same' ? last!.marks : await marksOf(secrets)
      if (secrets !== 'same') last = etag === undefined ? undefined : { etag, marks: now }
      const versions = refs.map((ref): [Ref, Found | Absence] => {
        const version = now.get(ref.key)
        return [ref, answerFor(ref, version === undefined ? undefined : { version })]
      })
      return { versions: new Map(versions), lagMs: 0 }
    },
    fetch: async (refs, signal) => {
      const { config: secrets } = await read(signal)
      if (typeof secrets === 'string') return new Map(refs.map((ref) => [ref, forbidden]))
      const now = await marksOf(secrets)
      const answers = refs.map((ref): [Ref, Fetched | Absence] => {
        const version = now.get(ref.key)
        const value = version === undefined ? undefined : Buffer.from(secrets[ref.key]!)
        return [ref, answerFor(ref, version && value ? { version, value } : undefined)]
      })
      return new Map(answers)
    },
    list: async (prefix, signal) => {
      const { config: secrets } = await read(signal)
      const keys = Object.keys(typeof secrets === 'string' ? {} : secrets)
        .filter((key) => key.startsWith(prefix) && !added.test(key))
        .sort()
      return { keys: keys.slice(0, mostListed), isCut: keys.length > mostListed }
    },
    close: () => Promise.resolve(),
  }
}
