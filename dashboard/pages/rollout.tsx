// The rollout of one project: which stagelets run the newest revision, which wait for what, and which failed.
import { useRoute } from 'preact-iso'
import type { Project, Rollout } from '../../src/generated/rest-types.ts'
import { projects, stagelets } from '../live/collections.ts'
import { DetailPage, findByName } from '../ui/detail.tsx'
import { ListPanel } from '../ui/list.tsx'
import { agentUrl, projectUrl, stageletUrl } from '../ui/text/links.ts'
import { ProjectTabs } from '../ui/tabs.tsx'
import { Empty, PageFrame, Panel } from '../ui/page.tsx'
import { WhenKnown } from '../ui/when-known.tsx'
import { known, partOf, someOf } from '../live/known.ts'
import { messageText } from '../ui/text/message.ts'
import { StateText } from '../ui/state.tsx'
import type { TableColumn } from '../ui/table.tsx'
import { RolloutActions } from './rollouts/actions.tsx'
import { RolloutBar } from './rollouts/bar.tsx'
import { rolloutState, stateInRollout, stopText, worstFirst } from './rollouts/rollout-words.ts'
import { useRollout } from './rollouts/use-rollout.ts'
import { revisionText } from './stagelet/sentence.ts'
import s from './rollouts/rollouts.module.css'

type Row = Rollout['stagelets'][number]

/** Undefined: the stagelets are not read yet, or it is in none. */
const environmentOf = (id: string): string | undefined =>
  someOf(stagelets.list.value).find((stagelet) => stagelet.id === id)?.environment

const columnsOf = (team: string): readonly TableColumn<Row>[] => [
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
  {
    title: 'Running',
    wide: true,
    render: ({ running_revision: running }) => <span class="num">{revisionText(running)}</span>,
  },
  {
    title: 'Target',
    wide: true,
    render: ({ wanted_revision: wanted }) => <span class="num">{revisionText(wanted)}</span>,
  },
  {
    title: 'Message',
    // Its log lines are on the page of the stagelet.
    render: ({ message }) => (
      <span class={s['message']}>
        {messageText(message?.split('\nlast log lines:', 1)[0] ?? '')}
      </span>
    ),
  },
  {
    title: 'Environment',
    wide: true,
    render: ({ id }) => environmentOf(id) ?? '',
  },
  {
    title: 'Agent',
    wide: true,
    render: ({ agent }) => <a href={agentUrl({ team, name: agent })}>{agent}</a>,
  },
]

const glyphs: ReadonlyMap<string | undefined, string> = new Map([
  ['ok', '●'],
  ['fail', '▲'],
  ['unknown', '◌'],
])

const RolloutDetails = ({
  project,
  rollout,
}: {
  readonly project: Project
  readonly rollout: Rollout
}) => (
  <>
    <Panel>
      <div class={s['list']}>
        <RolloutBar rollout={rollout} />
        <p class={s['message']}>{messageText(stopText(rollout))}</p>
      </div>
    </Panel>
    <ListPanel
      title="Stagelets"
      label="Stagelets"
      rows={known(rollout.stagelets.toSorted(worstFirst))}
      idOf={({ id }) => id}
      columns={columnsOf(project.team)}
      empty={<Empty title="No stagelet uses these secrets yet" />}
    />
  </>
)

const RolloutPage = ({ project }: { readonly project: Project }) => {
  const { rollout: read, show } = useRollout(project)
  const rollout = partOf(read)
  const [kind, word] = rollout === undefined ? [] : rolloutState(rollout)
  return (
    <PageFrame
      windowTitle={`${glyphs.get(kind) ?? '◐'} ${project.name} rollout`}
      within={<a href={projectUrl(project)}>{project.name}</a>}
      title="Rollout"
      tabs={<ProjectTabs team={project.team} name={project.name} current="Rollout" />}
      state={
        rollout === undefined || kind === undefined ? null : (
          <span>
            <StateText kind={kind}>{word}</StateText> {revisionText(rollout.revision)}
            {rollout.in_turns ? ', in batches' : ', all stagelets at once'}
            {rollout.change_set_open ? '; newer changes follow' : ''}
          </span>
        )
      }
      actions={
        rollout === undefined ? null : (
          <RolloutActions project={project} rollout={rollout} onChange={show} />
        )
      }
    >
      <WhenKnown value={read}>
        {(whole) => <RolloutDetails project={project} rollout={whole} />}
      </WhenKnown>
    </PageFrame>
  )
}

export const Page = () => {
  const { team = '', project: name = '' } = useRoute().params
  return (
    <DetailPage
      value={findByName(projects.list.value, { team, name })}
      name={name}
      back={{ href: '/ui/rollouts', text: 'Back to rollouts' }}
    >
      {(project) => <RolloutPage project={project} />}
    </DetailPage>
  )
}
