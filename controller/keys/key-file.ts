// A file of local keys, one on each line. The first one wraps; the others only unwrap.
import { messageOf } from '../../src/kernel/errors.ts'
import { readIfThere } from '../../src/kernel/whole-file.ts'
import { decodeMasterKey } from '../../src/secrets/providers/local.ts'
import { ConfigError } from '../config-error.ts'

export type KeyList = [Buffer, ...Buffer[]]

/** undefined when the file does not exist. ConfigError when it cannot be read, or holds something else. */
export const readKeyFile = async (path: string): Promise<KeyList | undefined> => {
  const text = await readIfThere(path).catch((error: unknown) => {
    throw new ConfigError([`${path} cannot be read: ${messageOf(error)}`])
  })
  return text === undefined ? undefined : decodeKeys(text, path)
}

export const decodeKeys = (text: string, path: string): KeyList => {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  const keys = lines.map(decodeMasterKey)
  const [first, ...more] = keys
  if (first === undefined || more.includes(undefined))
    throw new ConfigError([`${path} does not hold the base64 of 32 bytes in each line`])
  return [first, ...more.filter((key) => key !== undefined)]
}
