// Requests for access, of the caller and of others. Whoever asks hears of them by no event of the stream.
import { defined } from '../../src/kernel/defined.ts'
import { api, must } from '../api/client.ts'
import { me, whyNot } from '../session/session.ts'
import { mapKnown, someOf } from '../live/known.ts'
import type { AccessRequest } from '../../src/generated/rest-types.ts'
import { useQuery, type Query } from './use-query.ts'

const pollSeconds = 10
const mostRequests = 200

interface Chosen {
  readonly team?: string | undefined
  readonly project?: string
  readonly to_decide?: 'true'
}

/** The newest of them, newest first. */
export const useRequests = (chosen: Chosen, enabled = true): Query<readonly AccessRequest[]> =>
  useQuery({
    key: ['access-requests', chosen],
    enabled,
    pollSeconds,
    read: async (signal) => {
      const query = { ...defined(chosen), limit: mostRequests }
      return (await must(api.GET('/access-requests', { params: { query }, signal }))).requests
    },
  })

export const isOwn = ({ requester }: AccessRequest): boolean => requester?.id === me.value?.id

/** The requests by which the caller reads values of the project now. */
export const useOwnGrants = (team: string, project: string): readonly AccessRequest[] => {
  const mayAsk = whyNot('create', 'accessrequests', team) === undefined
  const all = useRequests({ team, project }, mayAsk)
  const open = mapKnown(all, (list) =>
    list.filter(
      (request) => isOwn(request) && ['Approved', 'Active'].includes(request.state ?? ''),
    ),
  )
  return someOf(open)
}
