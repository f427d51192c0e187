// 1Password, by a Connect server: one list of items tells the version of each item of a vault.
// API: developer.1password.com/docs/connect/api-reference
import * as z from 'zod'
import { append } from '../../../src/kernel/append.ts'
import type { ProviderBlock } from '../../../src/kinds/secret-store/providers.ts'
import { byKey, eachInTurn, readAs, unexpected, type StoreHttp } from '../http.ts'
import type { StoreOpening } from '../opening.ts'
import {
  mostListed,
  type Absence,
  type Fetched,
  type Found,
  type Ref,
  type StoreProvider,
} from '../provider.ts'

const name = 'the Connect server'
const vaults = z.array(z.object({ id: z.string(), name: z.string() }))
const item = z.object({
  id: z.string(),
  title: z.string(),
  version: z.number(),
  state: z.string().optional(),
})
type Item = z.infer<typeof item>
const fullItem = item.extend({
  fields: z
    .array(
      z.object({
        id: z.string(),
        label: z.string().optional(),
        value: z.string().optional(),
        section: z.object({ id: z.string(), label: z.string().optional() }).optional(),
      }),
    )
    .default([]),
})

const limits = { batch: 20, perMinute: 6_000, parallel: 4 }
const forbidden: Absence = { absent: 'forbidden' }
const missing: Absence = { absent: 'missing' }
const refused = (why: string): Absence => ({ absent: 'refused', why })

/** An item that was made anew under its old title has another ID. */
const versionOf = ({ id, version }: Item): string => `${version} of ${id}`

/** Fields by label, those of a section below the section's; by ID where a label is there twice. */
const valueOf = ({ fields }: z.infer<typeof fullItem>): Buffer => {
  const all: Record<string, unknown> = {}
  const put = (into: Record<string, unknown>, label: string, id: string, value: unknown): void => {
    into[label === '' || Object.hasOwn(into, label) ? id : label] = value
  }
  const sections = new Map<string, Record<string, unknown>>()
  for (const { id, label = '', value, section } of fields) {
    if (value === undefined) continue
    const isInSection = section !== undefined && (section.label ?? '') !== ''
    if (isInSection && !sections.has(section.id)) {
      const inner: Record<string, unknown> = {}
      sections.set(section.id, inner)
      put(all, section.label ?? '', section.id, inner)
    }
    put((isInSection ? sections.get(section.id) : undefined) ?? all, label, id, value)
  }
  return Buffer.from(JSON.stringify(all))
}

interface Context {
  readonly send: StoreHttp
}

/** IDs by ID and by name of the vaults that the token may see. */
const readVaults = async ({ send }: Context, signal: AbortSignal) => {
  const answer = await send({ path: '/v1/vaults' }, signal)
  if (answer.status !== 200) throw unexpected(name, answer.status)
  return readAs(vaults, name, answer)
}

const readItems = async (
  { send }: Context,
  vaultId: string,
  signal: AbortSignal,
): Promise<Item[] | Absence> => {
  const answer = await send({ path: `/v1/vaults/${vaultId}/items` }, signal)
  if (answer.status === 403) return forbidden
  if (answer.status !== 200) throw unexpected(name, answer.status)
  const isThere = ({ state }: Item): boolean => state !== 'ARCHIVED' && state !== 'DELETED'
  return readAs(z.array(item), name, answer).filter(isThere)
}

const splitKey = (key: string): { vault: string; title: string } | undefined => {
  const [, vault, title] = /^([^/]+)\/(.+)$/s.exec(key) ?? []
  return vault === undefined || title === undefined ? undefined : { vault, title }
}

interface Place {
  readonly vaultId: string
  readonly item: Item
}

/** Where each ref's item is now: a list of vaults, and one of items for each vault. */
const placesOf = async (
  context: Context,
  refs: readonly Ref[],
  signal: AbortSignal,
): Promise<Map<Ref, Place | Absence>> => {
  const vaults = await readVaults(context, signal)
  const idOf = (vault: string): string | undefined =>
    (vaults.find(({ id }) => id === vault) ?? vaults.find((candidate) => candidate.name === vault))
      ?.id
  const wanted = refs.map(({ key }) => idOf(splitKey(key)?.vault ?? ''))
  const ids = [...new Set(wanted.filter((id) => id !== undefined))]
  const lists = new Map(
    await eachInTurn(ids, limits.parallel, async (id) => {
      return [id, await readItems(context, id, signal)] as const
    }),
  )
  const placeOf = (ref: Ref): Place | Absence => {
    const parts = splitKey(ref.key)
    if (parts === undefined) return refused('the key is not VAULT/ITEM')
    if (ref.version !== undefined) return refused('1Password names no versions of an item')
    const vaultId = idOf(parts.vault)
    const items = vaultId === undefined ? undefined : lists.get(vaultId)
    // A vault that the token does not see may be there all the same.
    if (vaultId === undefined || items === undefined) return forbidden
    if ('absent' in items) return items
    const [found, ...more] = items.filter(({ id }) => id === parts.title)
    const titled = items.filter(({ title }) => title === parts.title)
    const item = found ?? titled[0]
    if (item === undefined) return missing
    if (found === undefined && titled.length > 1)
      return refused(`${titled.length} items have this title: name the item by its ID`)
    return more.length > 0 ? refused('the ID is there twice') : { vaultId, item: item }
  }
  return new Map(refs.map((ref) => [ref, placeOf(ref)]))
}

const fetchItem = async (
  { send }: Context,
  { vaultId, item: { id } }: Place,
  signal: AbortSignal,
): Promise<Fetched | Absence> => {
  const answer = await send({ path: `/v1/vaults/${vaultId}/items/${id}` }, signal)
  if (answer.status === 403) return forbidden
  if (answer.status !== 200) throw unexpected(name, answer.status)
  const read = readAs(fullItem, name, answer)
  return { version: versionOf(read), value: valueOf(read) }
}

export const openOnePassword = (
  { address, caBundle }: ProviderBlock<'onePassword'>,
  opening: StoreOpening,
): StoreProvider => {
  const call = opening.http({ name, address, ca: caBundle })
  const context: Context = {
    send: async (request, signal) => {
      const headers = { authorization: `Bearer ${await opening.credential()}` }
      return call({ ...request, headers }, signal)
    },
  }
  /** Of the look before: a fetch needs no lists where the item has not moved. */
  let places = new Map<string, Place>()
  return {
    limits,
    whoAmI: async (signal) => {
      const names = (await readVaults(context, signal)).map((vault) => vault.name).sort()
      return `a token for ${names.length === 0 ? 'no vault' : names.join(', ')}`
    },
    readVersions: async (refs, _, signal) => {
      const found = await placesOf(context, refs, signal)
      places = new Map(places)
      const versions = new Map<Ref, Found | Absence>()
      for (const [ref, place] of found) {
        if ('absent' in place) places.delete(ref.key)
        else places.set(ref.key, place)
        versions.set(ref, 'absent' in place ? place : { version: versionOf(place.item) })
      }
      return { versions, lagMs: 0 }
    },
    fetch: async (refs, signal) => {
      const isKnown = (ref: Ref): boolean => ref.version === undefined && places.has(ref.key)
      const unknown = refs.filter((ref) => !isKnown(ref))
      const others = unknown.length === 0 ? undefined : await placesOf(context, unknown, signal)
      return byKey(
        refs,
        ({ key, version }) => `${key}\0${version ?? ''}`,
        (some) =>
          eachInTurn(some, limits.parallel, async (ref) => {
            const place = others?.get(ref) ?? places.get(ref.key)!
            return 'absent' in place ? place : fetchItem(context, place, signal)
          }),
      )
    },
    list: async (prefix, signal) => {
      const keys: string[] = []
      for (const vault of await readVaults(context, signal)) {
        const begin = `${vault.name}/`
        if (!begin.startsWith(prefix) && !prefix.startsWith(begin)) continue
        const items = await readItems(context, vault.id, signal)
        if ('absent' in items) continue
        const found = items.map(({ title }) => begin + title)
        append(
          keys,
          found.filter((key) => key.startsWith(prefix)),
        )
      }
      return { keys: keys.sort().slice(0, mostListed), isCut: keys.length > mostListed }
    },
    close: () => Promise.resolve(),
  }
}
