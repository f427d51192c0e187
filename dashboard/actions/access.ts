// Actions on requests for access to guarded values.
import type { AccessRequest } from '../../src/generated/rest-types.ts'
import { defined } from '../../src/kernel/defined.ts'
import { objectId, requestApi } from '../api/request.ts'
import type { ApiAction } from './copy-as.ts'

type Named = Pick<AccessRequest, 'team' | 'name'>

interface Wanted {
  readonly key: string
  readonly scope: string
  readonly reason: string
  readonly duration?: string | undefined
}

export const requestAccess = (
  { team, project }: { readonly team: string; readonly project: string },
  { key, scope, reason, duration }: Wanted,
) => ({
  name: `Ask for access to ${key}`,
  request: requestApi(
    'post',
    '/projects/{project_id}/access-requests',
    { project_id: objectId({ team, name: project }) },
    { reason, secrets: [{ key, scope }], ...defined({ duration }) },
  ),
  stagely: [
    ...['access', 'request', key, '-n', team, '--project', project, '--scope', scope],
    ...(duration === undefined ? [] : ['--for', duration]),
    ...['--reason', reason],
  ],
})

/** What people do with a request: the word of the command, and the last part of the path. */
const decisions = {
  approve: 'approval',
  deny: 'denial',
  cancel: 'cancellation',
  revoke: 'revocation',
} as const
export type Decision = keyof typeof decisions

export const decideAccess = (
  decision: Decision,
  { team, name }: Named,
  note: string,
): ApiAction<AccessRequest> => {
  const given = note === '' ? {} : { note }
  return {
    name: `${decision.charAt(0).toUpperCase()}${decision.slice(1)} ${name}`,
    request: requestApi(
      'put',
      `/access-requests/{request_id}/${decisions[decision]}`,
      { request_id: objectId({ team, name }) },
      given,
    ),
    stagely: [...['access', decision, name, '-n', team], ...(note === '' ? [] : ['--note', note])],
  }
}

export const reviewAccess = (
  { team, name }: Named,
  outcome: 'Justified' | 'Misuse',
  note: string,
): ApiAction<AccessRequest> => ({
  name: `Review ${name}`,
  request: requestApi(
    'put',
    '/access-requests/{request_id}/review',
    { request_id: objectId({ team, name }) },
    { outcome, ...(note !== '' && { note }) },
  ),
  stagely: [
    ...['access', 'review', name, '-n', team, '--outcome', outcome],
    ...(note === '' ? [] : ['--note', note]),
  ],
})
