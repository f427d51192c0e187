// secrets import --store: manifests for all keys of a store elsewhere that begin with a prefix. No value is read.
import { openClient } from '../connect/client.ts'
import type { StoreKeys } from '../../src/generated/rest-types.ts'
import { stringify } from 'yaml'
import { defined } from '../../src/kernel/defined.ts'
import { CliError, usageError } from '../errors.ts'
import { noteHeaders } from '../options.ts'
import { note, out } from '../print.ts'
import { confirm } from '../prompt.ts'
import { projectPath } from '../connect/rest.ts'
import type { SecretFlags } from '../objects/secret-flags.ts'
import {
  chosenProject,
  identityOf,
  newSecret,
  readStoredSecrets,
} from '../objects/secret-identity.ts'

export interface StoreImportFlags extends SecretFlags {
  readonly store?: string
  readonly prefix?: string
  readonly yes?: boolean
  readonly dryRun?: boolean
  readonly note?: string
}

const mostInOne = 500

/** `prod/shop/db-password` below `prod/shop/` → `DB_PASSWORD`. */
export const variableOf = (key: string, prefix: string): string => {
  const rest = key.slice(prefix.length).replace(/^\/+/, '')
  const name = rest.replace(/[^A-Za-z0-9]+/g, '_').toUpperCase()
  return /^[0-9]/.test(name) ? `_${name}` : name
}

/** True for a key of which nothing is left after the prefix to make a variable of, such as the prefix itself. */
export const isNameless = (key: string, prefix: string): boolean =>
  variableOf(key, prefix).replaceAll('_', '') === ''

/** Keys by the variables that they become; throws where two become one. */
export const namesOfKeys = (
  keys: readonly string[],
  prefix: string,
): readonly (readonly [variable: string, key: string])[] => {
  const byName = new Map<string, string[]>()
  for (const key of keys) {
    const name = variableOf(key, prefix)
    byName.set(name, [...(byName.get(name) ?? []), key])
  }
  const faults = [...byName]
    .filter(([, of]) => of.length > 1)
    .map(([name, of]) => `${of.join(' and ')} would be ${JSON.stringify(name)}`)
  if (faults.length > 0)
    throw new CliError(`these keys have no name of their own: ${faults.join('; ')}`)
  return [...byName].map(([name, [key = '']]) => [name, key] as const)
}

export const importFromStore = async (flags: StoreImportFlags): Promise<void> => {
  const { store = '', prefix = '' } = flags
  if (prefix === '') throw usageError('--store goes with --prefix, such as prod/shop/')
  const { api, rest } = await openClient(flags)
  const project = await chosenProject(api, flags.project)
  const path = `/stores/${encodeURIComponent(`${api.namespace}/${store}`)}/keys`
  const { body } = await rest.call<StoreKeys>(path, { query: { prefix } })
  if (body.is_cut) note('The store has more keys than it lists: give a longer --prefix.')
  if (body.keys.length === 0)
    throw new CliError(
      `store "${store}" has no key that begins with "${prefix}" and that it allows`,
    )
  const nameless = body.keys.filter((key) => isNameless(key, prefix))
  if (nameless.length > 0)
    note(
      `Left out, since the prefix leaves no name of them: ${nameless.map((key) => JSON.stringify(key)).join(', ')}. A shorter --prefix names them.`,
    )
  const stored = await readStoredSecrets(api)
  const named = body.keys.filter((key) => !isNameless(key, prefix))
  const all = namesOfKeys(named, prefix).map(([key, remote]) => ({
    identity: identityOf(project, key, flags),
    valueFrom: { external: { store, key: remote } },
  }))
  const fresh = all.filter(({ identity }) => stored.find(identity) === undefined)
  for (const { identity, valueFrom } of fresh)
    out(`---\n${stringify(newSecret(identity, stored.hasName, { valueFrom })).trimEnd()}`)
  const kept = all.length - fresh.length
  if (kept > 0) note(`${kept} of ${all.length} are in the project already, and stay as they are.`)
  if (flags.dryRun === true || fresh.length === 0) return
  await confirm({ question: `Create these ${fresh.length} secrets?` }, flags.yes)
  for (let at = 0; at < fresh.length; at += mostInOne) {
    const operations = fresh.slice(at, at + mostInOne).map(({ identity, valueFrom }) => ({
      op: 'create',
      key: identity.key,
      scope: identity.scope,
      value_from: valueFrom,
      ...defined({ stagelet: identity.stagelet, environments: identity.environments }),
    }))
    const headers = noteHeaders(flags)
    const call = { method: 'POST', body: { operations }, headers } as const
    await rest.call(`${projectPath(api.namespace, project)}/secrets/batch`, call)
  }
  note(`${fresh.length} secrets take their values from store ${store}.`)
}
