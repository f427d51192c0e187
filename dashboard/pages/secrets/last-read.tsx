// Who has read a value last: for those who may read the audit log.
import { api, must } from '../../api/client.ts'
import { whyNot } from '../../session/session.ts'
import { Ago } from '../../ui/time.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import type { ProjectPlace } from '../project/data.ts'
import { readCount } from './read-count.ts'

export const LastRead = ({
  place: { team },
  name,
}: {
  readonly place: ProjectPlace
  readonly name: string
}) => {
  const mayRead = whyNot('list', 'audit', team) === undefined
  const read = useQuery({
    key: ['last-read', team, name],
    refetchOn: readCount.value,
    enabled: mayRead,
    read: (signal) => {
      const secret = { kind: 'StagelySecret', namespace: team, name } as const
      const query = { ...secret, action: 'reveal', result: 'success', limit: 1 } as const
      return must(api.GET('/audit', { params: { query }, signal }))
    },
  })
  const by = new URLSearchParams({ kind: 'StagelySecret', action: 'reveal', name })
  if (!mayRead) return null
  return (
    <WhenKnown value={read} rows={1}>
      {({ rows: [last] }) => (
        <p class="muted">
          {last === undefined ? (
            'Never read.'
          ) : (
            <>
              Read last by <a href={`/ui/audit?${by}`}>{last.actor.name}</a>, <Ago at={last.at} />
            </>
          )}
        </p>
      )}
    </WhenKnown>
  )
}
