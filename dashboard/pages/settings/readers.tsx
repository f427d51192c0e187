// Who can read values of a project now, and by what.
import type { Project } from '../../../src/generated/rest-types.ts'
import { api, must } from '../../api/client.ts'
import { whyNot } from '../../session/session.ts'
import { FactList } from '../../ui/dialogs/drawer.tsx'
import { Panel } from '../../ui/page.tsx'
import { Until } from '../../ui/time.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { WhenKnown } from '../../ui/when-known.tsx'

const names = (all: readonly string[]): string => all.join(', ') || 'nobody'

export const ReadersPanel = ({ project }: { readonly project: Project }) => {
  const { id, team } = project
  const isShown = whyNot('list', 'accessrequests', team) === undefined
  const access = useQuery({
    key: ['access-now', id],
    enabled: isShown,
    pollSeconds: 10,
    read: (signal) =>
      must(
        api.GET('/projects/{project_id}/access', { params: { path: { project_id: id } }, signal }),
      ),
  })
  if (!isShown) return null
  return (
    <Panel title="Who can read values now">
      <WhenKnown value={access}>
        {({ policies, environments, approvers, readers, machines, standing }) => (
          <FactList
            rows={[
              [
                'Guarded by',
                policies.length === 0
                  ? 'no policy'
                  : `${policies.join(', ')}${environments === undefined ? '' : `, only in ${environments.join(', ')}`}`,
              ],
              [
                'By a request',
                readers.length === 0
                  ? 'nobody'
                  : readers.map(({ name, why, until }) => (
                      <div key={why}>
                        {name}, {why} <Until at={until} />
                      </div>
                    )),
              ],
              ['By their role', names(standing.map(({ name, why }) => `${name} (${why})`))],
              ['Machines', names(machines)],
              ['May approve', names(approvers)],
            ]}
          />
        )}
      </WhenKnown>
    </Panel>
  )
}
