// The container that this process runs in.
import { readFile } from 'node:fs/promises'

/** Its id; undefined on the machine itself. */
export const ownContainer = async (): Promise<string | undefined> => {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8')
  return /\/containers\/([0-9a-f]{64})\//.exec(mounts)?.[1]
}
