// What somebody asks of a store by its annotations, and what was answered. Pure.
import { annotations, type KubeObject } from '../../src/resources/meta.ts'
import type { SecretStoreStatus } from '../../src/kinds/secret-store/schema.ts'

export interface Requests {
  /** The texts, to be answered with. */
  readonly refresh: string | undefined
  readonly check: string | undefined
  readonly resume: string | undefined
  /** Keys that are to be asked at once; none: the whole store. */
  readonly keys: readonly string[]
}

export const noRequests: Requests = {
  refresh: undefined,
  check: undefined,
  resume: undefined,
  keys: [],
}

/** Requests that were not answered yet. */
export const storeRequestsOf = (
  { metadata: { annotations: texts = {} } }: KubeObject,
  answered: NonNullable<SecretStoreStatus['answered']>,
): Requests => {
  const open = (name: string, last: string | undefined): string | undefined =>
    texts[name] === last ? undefined : texts[name]
  const refresh = open(annotations.refresh, answered.refresh)
  return {
    refresh,
    check: open(annotations.check, answered.check),
    resume: open(annotations.resumeStore, answered.resume),
    keys: refresh?.split('\n').slice(1) ?? [],
  }
}
