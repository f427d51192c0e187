// Where the newest revision stands on each stagelet: what runs, what waits for what, and what failed.
import type { Rollout } from '../../../src/generated/rest-types.ts'
import { stagelets } from '../../live/collections.ts'
import { mapKnown, someOf, type Known } from '../../live/known.ts'
import { ListPanel } from '../../ui/list.tsx'
import { Empty } from '../../ui/page.tsx'
import { StateText } from '../../ui/state.tsx'
import { agentUrl, stageletUrl } from '../../ui/text/links.ts'
import { messageText } from '../../ui/text/message.ts'
import { revisionText, stateInRollout, worstFirst } from './words.ts'
import s from './revisions.module.css'

/** Undefined: the stagelets are not read yet, or it is in none. */
const environmentOf = (id: string): string | undefined =>
  someOf(stagelets.list.value).find((stagelet) => stagelet.id === id)?.environment

interface Props {
  readonly team: string
  readonly read: Known<Rollout>
}

export const StageletsOfRollout = ({ team, read }: Props) => (
  <ListPanel
    title="Stagelets"
    label="Stagelets"
    rows={mapKnown(read, (rollout) => rollout.stagelets.toSorted(worstFirst))}
    idOf={({ id }) => id}
    columns={[
      {
        title: 'Stagelet',
        head: true,
        render: ({ name }) => <a href={stageletUrl({ team, name })}>{name}</a>,
      },
      {
        title: 'State',
        render: (row) => {
          const [kind, word] = stateInRollout(row)
          return <StateText kind={kind}>{word}</StateText>
        },
      },
      { title: 'Running', wide: true, render: (row) => revisionText(row.running_revision) },
      { title: 'Target', wide: true, render: (row) => revisionText(row.wanted_revision) },
      {
        title: 'Message',
        // Its log lines are on the page of the stagelet.
        render: ({ message }) => (
          <span class={s['message']}>
            {messageText(message?.split('\nlast log lines:', 1)[0] ?? '')}
          </span>
        ),
      },
      { title: 'Environment', wide: true, render: ({ id }) => environmentOf(id) ?? '' },
      {
        title: 'Agent',
        wide: true,
        render: ({ agent }) => <a href={agentUrl({ team, name: agent })}>{agent}</a>,
      },
    ]}
    empty={<Empty title="No stagelet uses these secrets yet" />}
  />
)
