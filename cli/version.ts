// The version of this package.
import { readFile } from 'node:fs/promises'

/** package.json is beside the sources, and one folder further up from the built program. */
export const readVersion = async (): Promise<string> => {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const text = await readFile(new URL(place, import.meta.url), 'utf8')
      return (JSON.parse(text) as { version: string }).version
    } catch {
      continue
    }
  }
  return 'unknown'
}
