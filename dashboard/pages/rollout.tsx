// The rollout of one project: on which stagelets the newest revision runs, which wait for what, which failed.
import { useRoute } from 'preact-iso'
import type { Project, Rollout } from '../../src/rest/types.ts'
import { projects } from '../live/collections.ts'
import { LinkButton } from '../ui/button.tsx'
import { agentUrl, projectUrl, stageletUrl } from '../ui/text/links.ts'
import { ProjectTabs } from '../ui/project-tabs.tsx'
import { Empty, PageFrame, Panel } from '../ui/page.tsx'
import { WhenKnown } from '../ui/when-known.tsx'
import { findIn, partOf } from '../live/known.ts'
import { messageText } from '../ui/text/message.ts'
import { State } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { RolloutActions } from './rollouts/actions.tsx'
import { RolloutBar } from './rollouts/bar.tsx'
import { rolloutState, stateInRollout, stopText, worstFirst } from './rollouts/rollout-words.ts'
import { useRollout } from './rollouts/use-rollout.ts'
import { revisionText } from './stagelet/sentence.ts'
import s from './rollouts/rollouts.module.css'

type Row = Rollout['stagelets'][number]

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
      return <State kind={kind}>{word}</State>
    },
  },
  {
    title: 'Runs',
    wide: true,
    render: ({ running_revision: running }) => <span class="num">{revisionText(running)}</span>,
  },
  {
    title: 'Wants',
    wide: true,
    render: ({ wanted_revision: wanted }) => <span class="num">{revisionText(wanted)}</span>,
  },
  {
    title: 'Why',
    // Its log lines are on the page of the stagelet.
    render: ({ message }) => (
      <span class={s['message']}>
        {messageText(message?.split('\nlast log lines:', 1)[0] ?? '')}
      </span>
    ),
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

const Whole = ({ project, rollout }: { readonly project: Project; readonly rollout: Rollout }) => (
  <>
    <Panel>
      <div class={s['list']}>
        <RolloutBar rollout={rollout} />
        <p class={s['message']}>{messageText(stopText(rollout))}</p>
      </div>
    </Panel>
    <Panel flush title="Stagelets">
      {rollout.stagelets.length === 0 ? (
        <Empty title="No stagelet gets these secrets yet" />
      ) : (
        <Table
          label="Stagelets"
          columns={columnsOf(project.team)}
          rows={rollout.stagelets.toSorted(worstFirst)}
          idOf={({ id }) => id}
        />
      )}
    </Panel>
  </>
)

const Shown = ({ project }: { readonly project: Project }) => {
  const { rollout: read, show } = useRollout(project)
  const rollout = partOf(read)
  const [kind, word] = rollout === undefined ? [] : rolloutState(rollout)
  return (
    <PageFrame
      windowTitle={`${glyphs.get(kind) ?? '◐'} ${project.name} rollout`}
      within={<a href={projectUrl(project)}>{project.name}</a>}
      title="Rollout"
      tabs={<ProjectTabs {...{ team: project.team, name: project.name }} current="Rollout" />}
      state={
        rollout === undefined || kind === undefined ? null : (
          <span>
            <State kind={kind}>{word}</State> {revisionText(rollout.revision)}
            {rollout.in_turns ? ', in turns' : ', all stagelets at once'}
            {rollout.change_set_open ? '; a newer revision is about to close' : ''}
          </span>
        )
      }
      actions={
        rollout === undefined ? null : (
          <RolloutActions project={project} rollout={rollout} onChange={show} />
        )
      }
    >
      <WhenKnown of={read}>{(known) => <Whole project={project} rollout={known} />}</WhenKnown>
    </PageFrame>
  )
}

export const Page = () => {
  const { params } = useRoute()
  const [team, name] = [params['team'] ?? '', params['project'] ?? '']
  const found = findIn(
    projects.known.value,
    (one) => one.team === team && (one.name === name || one.id === name),
  )
  const project = partOf(found)
  if (project !== undefined) return <Shown project={project} />
  return (
    <PageFrame windowTitle={name} title={name}>
      <WhenKnown
        of={found}
        none={
          <Empty
            title="Not there, or not yours."
            action={<LinkButton href="/ui/rollouts">To the rollouts</LinkButton>}
          />
        }
      />
    </PageFrame>
  )
}
