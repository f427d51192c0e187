// How a request for access is shown. Pure.
import type { AccessRequest } from '../../../src/generated/rest-types.ts'
import type { StateKind } from '../../live/state-kind.ts'

/** An emergency that nobody else has reviewed yet. */
export const needsReview = ({ emergency, decisions = [] }: AccessRequest): boolean =>
  emergency === true && !decisions.some(({ action }) => action === 'Review')

const kinds: Readonly<Record<string, StateKind>> = {
  Pending: 'wait',
  Approved: 'ok',
  Active: 'run',
  Denied: 'fail',
  Revoked: 'fail',
}

export const requestKind = (request: AccessRequest): StateKind =>
  needsReview(request) ? 'warn' : (kinds[request.state ?? ''] ?? 'paused')

export const requestState = (request: AccessRequest): string =>
  needsReview(request)
    ? `${request.state ?? ''}, review due`
    : `${request.state ?? ''}${request.emergency === true ? ', emergency' : ''}`

/** The next moment at which time alone changes it. */
export const requestEnd = (request: AccessRequest): string | undefined => {
  const { state, expires_at: expires, start_by: start, ends_at: ends, review_by: review } = request
  if (state === 'Active') return ends
  if (needsReview(request)) return review
  return state === 'Approved' ? start : state === 'Pending' ? expires : undefined
}

export const keysText = ({ secrets = [] }: AccessRequest): string => {
  const keys = [...new Set(secrets.map(({ key }) => key))]
  const more = keys.length > 3 ? ` and ${keys.length - 3} more` : ''
  return `${keys.slice(0, 3).join(', ')}${more}`
}
