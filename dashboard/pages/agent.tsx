// One agent: its connection, its stagelets, and what can be done with it.
import { useRoute } from 'preact-iso'
import { useState } from 'preact/hooks'
import { whyNot } from '../session/session.ts'
import type { Agent, Stagelet } from '../../src/generated/rest-types.ts'
import { agents, stagelets } from '../live/collections.ts'
import { mapKnown } from '../live/known.ts'
import { isTrouble } from '../live/conditions.ts'
import { stageletState } from '../live/states.ts'
import { Button } from '../ui/button.tsx'
import { Conditions } from '../ui/conditions.tsx'
import { DetailPage, findByName } from '../ui/detail.tsx'
import { FactList } from '../ui/dialogs/drawer.tsx'
import { ListPanel } from '../ui/list.tsx'
import { stageletUrl } from '../ui/text/links.ts'
import { messageText } from '../ui/text/message.ts'
import { Empty, PageFrame, Panel } from '../ui/page.tsx'
import { visibleText } from '../ui/text/visible-text.ts'
import { StateText } from '../ui/state.tsx'
import type { TableColumn } from '../ui/table.tsx'
import { Ago, Since } from '../ui/time.tsx'
import { AgentActions } from './agents/actions.tsx'
import { JoinDialog } from './agents/join.tsx'
import { agentState, isConnected, isSkewed, skewText, stageletsOn } from './agents/agent-state.ts'

const columns: readonly TableColumn<Stagelet>[] = [
  {
    title: 'Stagelet',
    head: true,
    render: (stagelet) => (
      <>
        <a href={stageletUrl(stagelet)}>{stagelet.name}</a>
        <small>{stagelet.project}</small>
      </>
    ),
  },
  {
    title: 'State',
    render: (stagelet) => {
      const { kind, word, why } = stageletState(stagelet)
      return (
        <StateText kind={kind} title={messageText(why)}>
          {word}
        </StateText>
      )
    },
  },
  { title: 'Since', render: (stagelet) => <Since at={stageletState(stagelet).since} /> },
  { title: 'Services', end: true, wide: true, render: ({ services }) => services.length },
  { title: 'Folder', wide: true, render: ({ directory }) => <code>{directory}</code> },
]

const About = ({ agent }: { readonly agent: Agent }) => (
  <Panel title="About">
    <FactList
      rows={[
        [
          isConnected(agent) ? 'Connected since' : 'Last seen',
          <Since at={agentState(agent).since} />,
        ],
        ['Last disconnect', <Since at={agent.last_lost} />],
        ['Agent', visibleText(agent.version ?? '–')],
        ['Docker Engine', visibleText(agent.engine_version ?? '–')],
        ['Compose', visibleText(agent.compose_version ?? '–')],
        [
          'Clock skew',
          isSkewed(agent) ? <StateText kind="warn">{skewText(agent)}</StateText> : skewText(agent),
        ],
        ['Keys rotated', <Ago at={agent.keys_rotated_at} />],
        ['Added', <Since at={agent.created_at} />],
      ]}
    />
  </Panel>
)

const AgentPage = ({ agent }: { readonly agent: Agent }) => {
  const [isJoining, setJoining] = useState(false)
  const { kind, word, why } = agentState(agent)
  const rows = mapKnown(stagelets.list.value, (all) =>
    stageletsOn(agent, all).toSorted(
      (a, b) => stageletState(b).weight - stageletState(a).weight || a.name.localeCompare(b.name),
    ),
  )
  return (
    <PageFrame
      windowTitle={`${isConnected(agent) ? '●' : '◌'} ${agent.name}`}
      within={<a href="/ui/agents">Agents</a>}
      title={agent.name}
      state={
        <span>
          <StateText kind={kind}>{word}</StateText> <span class="muted">{messageText(why)}</span>
        </span>
      }
      actions={
        <>
          {isConnected(agent) ? null : (
            <Button
              variant={agent.version === undefined ? 'primary' : 'quiet'}
              whyNot={whyNot('create', 'agents/join', agent.team)}
              onPress={() => setJoining(true)}
            >
              Join command
            </Button>
          )}
          <AgentActions agent={agent} stagelets={mapKnown(rows, ({ length }) => length)} />
        </>
      }
    >
      <Conditions
        conditions={agent.conditions.filter(
          (condition) => isTrouble(condition) && condition.type !== 'Ready',
        )}
      />
      <ListPanel
        title="Stagelets"
        label="Stagelets"
        what="The stagelets"
        rows={rows}
        idOf={({ id }) => id}
        columns={columns}
        empty={<Empty title="No stagelets on this agent" />}
      />
      <About agent={agent} />
      {isJoining ? <JoinDialog agent={agent} onClose={() => setJoining(false)} /> : null}
    </PageFrame>
  )
}

export const Page = () => {
  const { team = '', agent: name = '' } = useRoute().params
  return (
    <DetailPage
      value={findByName(agents.list.value, { team, name })}
      name={name}
      back={{ href: '/ui/agents', text: 'Back to agents' }}
    >
      {(agent) => <AgentPage agent={agent} />}
    </DetailPage>
  )
}
