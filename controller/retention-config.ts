// How much history is kept, from the environment.
import { defaultRetention, type Retention } from '../src/store/compaction.ts'

type Env = Readonly<Record<string, string | undefined>>

const dayMs = 86_400_000
const most = 100_000

/** The count that a variable says; `fallback` where it is unset. */
const countIn = <T>(env: Env, variable: string, fallback: T, faults: string[]): number | T => {
  const text = env[variable] ?? ''
  if (text === '') return fallback
  if (/^\d{1,6}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text)
  faults.push(`${variable} must be a whole number from 1 to ${most}`)
  return fallback
}

/** How many daily backups the controller keeps; undefined: it takes none. */
export const parseKeptBackups = (env: Env, faults: string[]): number | undefined =>
  countIn(env, 'STAGELY_KEEP_BACKUPS', undefined, faults)

/**
 * STAGELY_KEEP_VERSIONS, STAGELY_KEEP_REVISIONS, STAGELY_KEEP_DELETED_DAYS and STAGELY_KEEP_REQUESTS_DAYS; an unset
 * variable has its default.
 */
export const parseRetention = (env: Env, faults: string[]): Retention => {
  const count = (variable: string, fallback: number): number =>
    countIn(env, variable, fallback, faults)
  const { versions, revisions, deletedMs, requestsMs } = defaultRetention
  return {
    versions: count('STAGELY_KEEP_VERSIONS', versions),
    revisions: count('STAGELY_KEEP_REVISIONS', revisions),
    deletedMs: count('STAGELY_KEEP_DELETED_DAYS', deletedMs / dayMs) * dayMs,
    requestsMs: count('STAGELY_KEEP_REQUESTS_DAYS', requestsMs / dayMs) * dayMs,
  }
}
