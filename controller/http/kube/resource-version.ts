// The parameters `resourceVersion` and `resourceVersionMatch`.
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { AppContext } from '../env.ts'
import { versionIn } from '../version-text.ts'
import { invalidOption } from './params.ts'
import type { CallerStore } from '../../../src/store/caller-store.ts'

/** undefined: absent. BadRequest for anything but a decimal integer. */
export const resourceVersionOf = (c: AppContext): number | undefined => {
  const text = c.req.query('resourceVersion') ?? ''
  if (text === '') return undefined
  const version = versionIn(text)
  if (version === undefined)
    throw new StagelyError(
      'BadRequest',
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text.slice(0, 50))}`,
    )
  return version
}

/** 422 for an option that cannot be combined with the others. */
export const forbiddenOption = (c: AppContext, option: string, message: string): StagelyError =>
  invalidOption(c, option, 'FieldValueForbidden', `Forbidden: ${message}`)

const matches = ['Exact', 'NotOlderThan'] as const
export type ResourceVersionMatch = (typeof matches)[number]

/** The requested match; undefined: absent. Invalid for one that is not in `allowed`. */
export const matchOf = (
  c: AppContext,
  allowed: readonly ResourceVersionMatch[] = matches,
): ResourceVersionMatch | undefined => {
  const text = c.req.query('resourceVersionMatch') ?? ''
  if (text === '') return undefined
  const option = 'resourceVersionMatch'
  if ((c.req.query('continue') ?? '') !== '')
    throw forbiddenOption(c, option, `${option} is forbidden when continue is provided`)
  const match = allowed.find((allowedMatch) => allowedMatch === text)
  if (match !== undefined) return match
  const supported = allowed.map((allowedMatch) => JSON.stringify(allowedMatch)).join(', ')
  throw invalidOption(
    c,
    option,
    'FieldValueNotSupported',
    `Unsupported value: ${JSON.stringify(text)}: supported values: ${supported}`,
  )
}

/** Timeout when the store has not reached the version: the client would get something older. */
export const requireReached = async (
  store: CallerStore,
  version: number | undefined,
): Promise<void> => {
  if (version === undefined || version === 0) return
  const current = await store.currentVersion()
  if (version <= current) return
  throw new StagelyError(
    'Timeout',
    `Timeout: Too large resource version: ${version}, current: ${current}`,
    {
      retryAfterSeconds: 1,
      faults: [
        { field: '', reason: 'ResourceVersionTooLarge', message: 'Too large resource version' },
      ],
    },
  )
}
