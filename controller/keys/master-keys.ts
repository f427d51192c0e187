// Opens the configured keys: the first one wraps, all unwrap; projects may name additional ones.
import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../src/kernel/clock.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { KeyRing } from '../../src/secrets/key-ring.ts'
import { openKeyRing } from '../../src/secrets/providers/open-provider.ts'
import type { KeyProviderSettings } from '../../src/secrets/providers/settings.ts'
import { ConfigError } from '../config-error.ts'
import type { Config } from '../config.ts'
import { createOnce } from '../data-dir.ts'
import { decodeKeys, readKeyFile, type KeyList } from './key-file.ts'
import { readProjectKeys } from './project-keys.ts'

/**
 * The keys in DIR/master.key, which is created at the first start. Throws ConfigError when the file is
 * damaged, or is missing although stored data needs it.
 */
const ensureKeyFile = async (dataDir: string, log: Logger): Promise<KeyList> => {
  const path = join(dataDir, 'master.key')
  const stored = await readKeyFile(path)
  if (stored !== undefined) return stored
  const others = (await readdir(dataDir)).filter((name) => !name.startsWith('.'))
  if (others.length > 0)
    throw new ConfigError([
      `${path} is missing, and ${dataDir} holds data (${others.slice(0, 3).join(', ')}): put the key file there, or set STAGELY_SECRET_KEY, or name an empty folder`,
    ])
  const made = await createOnce(path, `${randomBytes(32).toString('base64')}\n`)
  log.warn(
    { file: path },
    'made a master key file; to move to a managed key, put its content into STAGELY_SECRET_KEY and delete the file',
  )
  return decodeKeys(made, path)
}

/** The local keys: from the environment, from a configured file, or from the data folder. */
const localKeys = async (
  { keys, dataDir }: Config,
  log: Logger,
): Promise<KeyProviderSettings[]> => {
  const found: KeyProviderSettings[] = []
  const named = keys.keyFile === undefined ? undefined : await readKeyFile(keys.keyFile)
  if (keys.keyFile !== undefined && named === undefined)
    throw new ConfigError([`STAGELY_KEY_FILE ${keys.keyFile} does not exist`])
  if (named !== undefined) found.push({ provider: 'key-file', keys: named })
  const given = keys.secretKey
  if (given !== undefined)
    found.push({ provider: 'local', keys: [given, ...keys.previousSecretKeys] })
  else {
    const fromFile =
      keys.provider === 'local'
        ? await ensureKeyFile(dataDir, log)
        : await readKeyFile(join(dataDir, 'master.key'))
    if (fromFile !== undefined)
      found.push({ provider: 'local', keys: [...fromFile, ...keys.previousSecretKeys] })
  }
  if (found.length === 0 && keys.previousSecretKeys.length > 0)
    found.push({ provider: 'local', keys: keys.previousSecretKeys as KeyList })
  return found
}

/** ConfigError for missing or damaged keys, ServiceUnavailable when a key service does not answer. */
export const openMasterKeys = async (
  config: Config,
  log: Logger,
  clock: Clock,
): Promise<KeyRing> => {
  const all = [...config.keys.services, ...(await localKeys(config, log))]
  const isCurrent = ({ provider }: KeyProviderSettings): boolean =>
    provider === config.keys.provider
  // Of two keys of one service the current one comes first in `services`.
  const current = all.find(isCurrent)
  if (current === undefined)
    throw new ConfigError([`no key of the provider ${config.keys.provider} is configured`])
  const projectKeys = await readProjectKeys(config.keys)
  return openKeyRing([current, ...all.filter((key) => key !== current)], { clock }, projectKeys)
}
