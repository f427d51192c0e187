// A Compose that is newer than the machine's, as scripts/lib/setup.sh fetches it: what it does
// otherwise than the old one is tested, not believed.
import { access } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

const cached = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'stagely/compose-unstable/docker-compose',
)

/** Path of its binary. Throws where there is none. */
export const newerCompose = async (): Promise<string> => {
  const path = process.env['STAGELY_NEWER_COMPOSE'] ?? cached
  try {
    await access(path)
  } catch (error) {
    const message = `these tests need a newer Compose at ${path}: run "npm test" once, or name one in STAGELY_NEWER_COMPOSE`
    throw new Error(message, { cause: error })
  }
  return path
}
