// A Reader that reads each object, list and set of secrets once. Good within one transaction that writes none of
// them. Objects are frozen.
import { keyOf } from '../../../src/resources/meta.ts'
import type { Reader, Transaction } from '../../../src/store/store.ts'

export const cachingReader = (reader: Transaction): Reader => {
  const answers = new Map<string, Promise<unknown>>()
  const once = <T>(key: string, read: () => Promise<T>): Promise<T> => {
    const cachedAnswer = answers.get(key)
    if (cachedAnswer !== undefined) return cachedAnswer as Promise<T>
    const answer = read()
    answers.set(key, answer)
    return answer
  }
  return {
    get: (ref) => once(keyOf(ref), () => reader.getFrozen(ref)),
    list: (kind, options) =>
      once(`list ${kind} ${JSON.stringify(options)}`, () => reader.list(kind, options)),
    readSet: (projectUid, revision) =>
      once(`set ${projectUid} ${revision}`, () => reader.readSet(projectUid, revision)),
    revisionsOf: (projectUid) =>
      once(`revisions ${projectUid}`, () => reader.revisionsOf(projectUid)),
  }
}
