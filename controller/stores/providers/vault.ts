// The secrets engine KV version 2 of HashiCorp Vault and of OpenBao, over HTTP.
// API: developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
import * as z from 'zod'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import type { ProviderBlock } from '../../../src/kinds/secret-store/providers.ts'
import { byKey, eachInTurn, readAs, unexpected, type StoreAnswer, type StoreHttp } from '../http.ts'
import {
  mostListed,
  StoreFault,
  type Absence,
  type Fetched,
  type Found,
  type KeyListing,
  type Ref,
  type StoreProvider,
} from '../provider.ts'
import { openVaultSession } from './vault-session.ts'
import type { StoreOpening } from '../opening.ts'

const versionInfo = z.object({
  created_time: z.string(),
  deletion_time: z.string().optional(),
  destroyed: z.boolean().optional(),
})
const metadata = z.object({
  data: z.object({ current_version: z.number(), versions: z.record(z.string(), versionInfo) }),
})
const content = z.object({
  data: z.object({
    data: z.record(z.string(), z.unknown()).nullable(),
    metadata: versionInfo.extend({ version: z.number() }),
  }),
})
const keysOf = z.object({ data: z.object({ keys: z.array(z.string()) }) })
const errorsOf = z.object({ errors: z.array(z.string()) })

const missing: Absence = { absent: 'missing' }
const forbidden: Absence = { absent: 'forbidden' }

/** A version that was deleted and made again has its number again. */
const versionOf = (number: number | string, { created_time: at }: { created_time: string }) =>
  `${number} of ${at}`

const refusedPath = ({ key, version }: Ref): Absence | undefined => {
  if (!key.split('/').every((part) => part !== '' && part !== '.' && part !== '..'))
    return { absent: 'refused', why: 'the key is no path such as prod/shop/db' }
  if (version === undefined || /^[1-9]\d{0,9}$/.test(version)) return undefined
  return { absent: 'refused', why: 'a version in Vault is a number' }
}

const pathOf = (key: string): string => key.split('/').map(encodeURIComponent).join('/')

interface Context {
  readonly send: StoreHttp
  readonly mount: string
  readonly now: () => number
}

/** 404 says that there is no such path only where Vault names no other reason. */
const absenceOf = ({ mount }: Context, { status, json }: StoreAnswer): Absence | undefined => {
  if (status === 403) return forbidden
  if (status !== 404) return undefined
  const read = errorsOf.safeParse(json)
  if (!read.success) throw unexpected('Vault', status)
  if (read.data.errors.length === 0) return missing
  throw new StoreFault(
    'Unavailable',
    `Vault has no secrets engine KV version 2 at ${mount}: check vault.mount`,
  )
}

type VersionInfo = z.infer<typeof versionInfo>

/** Of a version that was deleted, and of one that Vault deletes by itself (delete_version_after). */
const deletedAt = ({ deletion_time: text = '' }: VersionInfo): number | undefined => {
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}

const isGone = (now: number, info: VersionInfo): boolean =>
  info.destroyed === true || (deletedAt(info) ?? Infinity) <= now

const foundOf = (number: number | string, info: VersionInfo): Found => {
  const end = deletedAt(info)
  return {
    version: versionOf(number, info),
    ...(end !== undefined && { expiresAt: toTimestamp(end) }),
  }
}

const lookAt = async (
  context: Context,
  ref: Ref,
  signal: AbortSignal,
): Promise<Found | Absence> => {
  const refused = refusedPath(ref)
  if (refused !== undefined) return refused
  const { send, mount, now } = context
  const answer = await send({ path: `/v1/${mount}/metadata/${pathOf(ref.key)}` }, signal)
  const absence = absenceOf(context, answer)
  if (absence !== undefined) return absence
  if (answer.status !== 200) throw unexpected('Vault', answer.status)
  const { data } = readAs(metadata, 'Vault', answer)
  const number = ref.version ?? String(data.current_version)
  const info = data.versions[number]
  return info === undefined || isGone(now(), info) ? missing : foundOf(number, info)
}

const fetchOne = async (
  context: Context,
  ref: Ref,
  signal: AbortSignal,
): Promise<Fetched | Absence> => {
  const refused = refusedPath(ref)
  if (refused !== undefined) return refused
  const { send, mount } = context
  const asked = ref.version === undefined ? '' : `?version=${ref.version}`
  const answer = await send({ path: `/v1/${mount}/data/${pathOf(ref.key)}${asked}` }, signal)
  // A deleted version is a 404 that tells when it was deleted.
  if (answer.status === 404 && content.safeParse(answer.json).success) return missing
  const absence = absenceOf(context, answer)
  if (absence !== undefined) return absence
  if (answer.status !== 200) throw unexpected('Vault', answer.status)
  const { data } = readAs(content, 'Vault', answer)
  if (data.data === null) return missing
  const { version } = data.metadata
  return {
    ...foundOf(version, data.metadata),
    value: Buffer.from(JSON.stringify(data.data)),
  }
}

const list = async (context: Context, prefix: string, signal: AbortSignal): Promise<KeyListing> => {
  const { send, mount } = context
  const keys: string[] = []
  const folders = [prefix.slice(0, prefix.lastIndexOf('/') + 1)]
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const path = `/v1/${mount}/metadata/${pathOf(folder)}?list=true`
    const answer = await send({ path }, signal)
    if (absenceOf(context, answer) !== undefined) continue
    if (answer.status !== 200) throw unexpected('Vault', answer.status)
    for (const name of readAs(keysOf, 'Vault', answer).data.keys) {
      const key = `${folder}${name}`
      if (name.endsWith('/') && (key.startsWith(prefix) || prefix.startsWith(key)))
        folders.push(key)
      else if (!name.endsWith('/') && key.startsWith(prefix)) keys.push(key)
    }
    if (keys.length > mostListed) return { keys: keys.sort().slice(0, mostListed), isCut: true }
  }
  return { keys: keys.sort(), isCut: false }
}

const limits = { batch: 20, perMinute: 6_000, parallel: 4 }
const keyOfRef = ({ key, version }: Ref): string => `${key}\0${version ?? ''}`

export const openVault = (block: ProviderBlock<'vault'>, opening: StoreOpening): StoreProvider => {
  const call = opening.http({ name: 'Vault', address: block.address, ca: block.caBundle })
  const common = { 'x-vault-request': 'true', ...defined({ 'x-vault-namespace': block.namespace }) }
  const session = openVaultSession(block, opening, (request, signal) =>
    call({ ...request, headers: { ...common, ...request.headers } }, signal),
  )
  const context: Context = {
    send: session.send,
    mount: block.mount,
    now: () => opening.clock.now(),
  }
  return {
    limits,
    whoAmI: (signal) => session.whoAmI(signal),
    readVersions: async (refs, _, signal) => ({
      versions: await byKey(refs, keyOfRef, (some) =>
        eachInTurn(some, limits.parallel, (ref) => lookAt(context, ref, signal)),
      ),
      lagMs: 0,
    }),
    fetch: (refs, signal) =>
      byKey(refs, keyOfRef, (some) =>
        eachInTurn(some, limits.parallel, (ref) => fetchOne(context, ref, signal)),
      ),
    list: (prefix, signal) => list(context, prefix, signal),
    close: () => session.close(),
  }
}
