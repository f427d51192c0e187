// Rows of the feed: when, what in a word, what it happened to, and the whole in words.
import type { Happened } from '../../../src/generated/rest-types.ts'
import { agentUrl, projectUrl, revisionUrl, stageletUrl } from '../../ui/text/links.ts'
import { messageText } from '../../ui/text/message.ts'
import { visibleText } from '../../ui/text/visible-text.ts'
import { StateText } from '../../ui/state.tsx'
import { Since } from '../../ui/time.tsx'
import { activityState } from './words.ts'
import s from './activity.module.css'

/** The thing that it happened to, and where that is. */
const Place = ({ row }: { readonly row: Happened }) => {
  const { team, project, stagelet, agent, revision } = row
  if (stagelet !== undefined)
    return <a href={stageletUrl({ team, name: stagelet })}>{`${project ?? ''}/${stagelet}`}</a>
  if (agent !== undefined) return <a href={agentUrl({ team, name: agent })}>{agent}</a>
  const own = { team, name: project ?? '' }
  return (
    <a href={revision === undefined ? projectUrl(own) : revisionUrl(own, revision)}>{own.name}</a>
  )
}

const FeedRow = ({ row }: { readonly row: Happened }) => {
  const [kind, word] = activityState(row)
  return (
    <li class={s['row']}>
      <span class={`${s['when']} muted num`}>
        <Since at={row.at} />
      </span>
      <StateText kind={kind}>{word}</StateText>
      <span class={s['place']}>
        <Place row={row} />
      </span>
      <p class={s['message']}>
        {messageText(row.message)}
        {row.note === undefined ? null : <q>{visibleText(row.note)}</q>}
      </p>
      <span class={`${s['by']} muted`}>
        {row.by.length === 0 ? '' : `by ${visibleText(row.by.join(', '))}`}
      </span>
    </li>
  )
}

export const ActivityFeed = ({
  rows,
  label,
}: {
  readonly rows: readonly Happened[]
  readonly label: string
}) => (
  <ul class={s['feed']} aria-label={label}>
    {rows.map((row) => (
      <FeedRow key={row.id} row={row} />
    ))}
  </ul>
)
