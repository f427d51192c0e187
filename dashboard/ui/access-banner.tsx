// What stands above the pages of a project while its guarded values are open: to the caller, or in an emergency that nobody
// has reviewed yet.
import { projects } from '../live/collections.ts'
import { findIn, partOf } from '../live/known.ts'
import { StateText } from './state.tsx'
import { accessUrl } from './text/links.ts'
import { messageText } from './text/message.ts'
import { Since } from './time.tsx'
import { useOwnGrants } from './use-requests.ts'
import s from './page.module.css'

interface Props {
  readonly team: string
  readonly name: string
}

export const AccessBanner = ({ team, name }: Props) => {
  const project = partOf(
    findIn(projects.list.value, (one) => one.team === team && one.name === name),
  )
  const glass = project?.conditions.find(
    ({ type, status }) => type === 'GlassBroken' && status === 'True',
  )
  const grants = useOwnGrants(team, name)
  return (
    <>
      {glass === undefined ? null : (
        <p class={s['banner']} role="status">
          <StateText kind="fail">Emergency</StateText>
          <span>{messageText(glass.message)}</span>
          <a href="/ui/access">Requests</a>
        </p>
      )}
      {grants.map((grant) => (
        <p key={grant.id} class={s['banner']} role="status">
          <StateText kind="run">You may read guarded values</StateText>
          <span>
            {grant.state === 'Active' ? 'until ' : 'if you begin until '}
            <Since at={grant.ends_at ?? grant.start_by} />, and each reading is recorded
          </span>
          <a href={accessUrl(grant)}>{grant.name}</a>
        </p>
      ))}
    </>
  )
}
