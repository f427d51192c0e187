// Reads sets of closed revisions. Sets that retention has dropped are left out.
import { isNotKept } from '../../src/store/core/errors.ts'
import type { Reader, SecretSet } from '../../src/store/store.ts'

/** In the order of `revisions`, each once. */
export const readKeptSets = async (
  reader: Reader,
  projectUid: string,
  revisions: readonly number[],
): Promise<SecretSet[]> => {
  const sets: SecretSet[] = []
  for (const revision of new Set(revisions)) {
    if (revision === 0) continue
    try {
      sets.push(await reader.readSet(projectUid, revision))
    } catch (error) {
      if (!isNotKept(error)) throw error
    }
  }
  return sets
}
