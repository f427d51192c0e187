// What the operator gives to stores: a folder of programs, and identities of this machine.
import { isAbsolute } from 'node:path'
import type { IdentityConfig } from './identities.ts'

type Env = Readonly<Record<string, string | undefined>>

export interface StoresConfig {
  /** Folder of programs that stores may name; undefined: none. */
  readonly dir: string | undefined
  readonly identities: IdentityConfig
}

const given = (text: string | undefined): string | undefined => (text === '' ? undefined : text)

export const parseStores = (
  flags: { readonly storesDir?: string },
  env: Env,
  faults: string[],
): StoresConfig => {
  const dir = given(flags.storesDir ?? env['STAGELY_STORES_DIR'])
  if (dir !== undefined && !isAbsolute(dir))
    faults.push(`--stores-dir must be a whole path such as /etc/stagely/stores; it is ${dir}`)
  const file = given(env['STAGELY_STORE_IDENTITIES_FILE'])
  const text = given(env['STAGELY_STORE_IDENTITIES'])
  if (file !== undefined && text !== undefined)
    faults.push('give one of STAGELY_STORE_IDENTITIES and STAGELY_STORE_IDENTITIES_FILE')
  return { dir, identities: { file, text } }
}
