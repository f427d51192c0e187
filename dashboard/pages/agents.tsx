// The agents: their connections, versions and clocks, and the states of their stagelets.
import { useState } from 'preact/hooks'
import { useShortcuts } from '../session/keys.ts'
import { maySomewhere } from '../session/session.ts'
import { useTeam } from '../session/team.ts'
import type { Agent } from '../../src/generated/rest-types.ts'
import { agents, stagelets } from '../live/collections.ts'
import { inTeam, mapKnown } from '../live/known.ts'
import { countsOf } from '../live/states.ts'
import { Button } from '../ui/button.tsx'
import { agentUrl } from '../ui/text/links.ts'
import { messageText } from '../ui/text/message.ts'
import { ListPage } from '../ui/list.tsx'
import { Empty } from '../ui/page.tsx'
import { visibleText } from '../ui/text/visible-text.ts'
import { Count, StateText } from '../ui/state.tsx'
import type { TableColumn } from '../ui/table.tsx'
import { Ago, Since } from '../ui/time.tsx'
import { InlineKnown } from '../ui/when-known.tsx'
import { JoinDialog, JoinPanel } from './agents/join.tsx'
import { agentState, isConnected, isSkewed, skewText, stageletsOn } from './agents/agent-state.ts'
import s from './agents/agents.module.css'

const States = ({ agent }: { readonly agent: Agent }) => {
  const counts = mapKnown(stagelets.list.value, (all) => countsOf(stageletsOn(agent, all)))
  return (
    <InlineKnown value={counts}>
      {(all) =>
        all.length === 0 ? (
          <span class="muted">none</span>
        ) : (
          <span class={s['states']}>
            {all.map(({ kind, word, count }) => (
              <Count key={word} kind={kind} count={count} word={word} />
            ))}
          </span>
        )
      }
    </InlineKnown>
  )
}

const columns: readonly TableColumn<Agent>[] = [
  {
    title: 'Agent',
    head: true,
    render: (agent) => (
      <>
        <a href={agentUrl(agent)}>{agent.name}</a>
        <small>{agent.team}</small>
      </>
    ),
  },
  {
    title: 'State',
    render: (agent) => {
      const { kind, word, why } = agentState(agent)
      return (
        <>
          <StateText kind={kind} title={messageText(why)}>
            {word}
          </StateText>
          {kind === 'fail' ? <small>{messageText(why)}</small> : null}
        </>
      )
    },
  },
  {
    title: 'Since',
    render: (agent) => <Since at={agentState(agent).since} />,
  },
  { title: 'Stagelets', render: (agent) => <States agent={agent} /> },
  {
    title: 'Agent · Docker · Compose',
    wide: true,
    render: ({ version, engine_version: engine, compose_version: compose }) => (
      <span class="num">
        {[version, engine, compose].map((text) => visibleText(text ?? '–')).join(' · ')}
      </span>
    ),
  },
  {
    title: 'Clock skew',
    wide: true,
    render: (agent) =>
      isSkewed(agent) ? (
        <StateText kind="warn" title="The clock differs from the controller's">
          {skewText(agent)}
        </StateText>
      ) : (
        <span class="num">{skewText(agent)}</span>
      ),
  },
  { title: 'Keys rotated', wide: true, render: ({ keys_rotated_at: at }) => <Ago at={at} /> },
]

const byName = (a: Agent, b: Agent): number =>
  Number(isConnected(a)) - Number(isConnected(b)) ||
  a.team.localeCompare(b.team) ||
  a.name.localeCompare(b.name)

const summaryOf = (all: readonly Agent[]) => {
  const away = all.filter((agent) => !isConnected(agent)).length
  return {
    mark: away > 0 ? `◌ ${away} offline` : '●',
    text: (
      <span class="muted num">
        {all.length} {all.length === 1 ? 'agent' : 'agents'}
        {away > 0 ? `, ${away} offline` : ''}
      </span>
    ),
  }
}

export const Page = () => {
  const team = useTeam()
  const [isAdding, setAdding] = useState(false)
  const mayAdd = maySomewhere('create', 'agents/join')
  const add = (): boolean => {
    if (mayAdd) setAdding(true)
    return mayAdd
  }
  useShortcuts([{ keys: 'n', does: 'Add a machine', run: add }])
  return (
    <ListPage
      title="Agents"
      label="Agents"
      rows={mapKnown(inTeam(agents.list.value, team), (all) => all.toSorted(byName))}
      idOf={({ id }) => id}
      columns={columns}
      summary={summaryOf}
      actions={
        <Button
          command="add-machine"
          variant="primary"
          whyNot={mayAdd ? undefined : 'Needs the role owner or maintainer in a team.'}
          onPress={add}
        >
          Add machine
        </Button>
      }
      empty={
        <>
          <Empty title="No agents yet">
            An agent runs on each machine that has containers. It needs no open port.
          </Empty>
          {mayAdd && !isAdding ? <JoinPanel /> : null}
        </>
      }
    >
      {isAdding ? <JoinDialog onClose={() => setAdding(false)} /> : null}
    </ListPage>
  )
}
