// The machines: which are there, since when, with which versions, and in which states their stagelets are.
import { useState } from 'preact/hooks'
import { useShortcuts } from '../app/keys.ts'
import { maySomewhere } from '../app/session.ts'
import { useTeam } from '../app/team.ts'
import type { Agent } from '../../src/rest/types.ts'
import { agents, stagelets } from '../live/collections.ts'
import { mapKnown, type Known } from '../live/known.ts'
import { countsOf } from '../live/states.ts'
import { Button } from '../ui/button.tsx'
import { agentUrl } from '../ui/text/links.ts'
import { messageText } from '../ui/text/message.ts'
import { Empty, PageFrame, Panel } from '../ui/page.tsx'
import { said } from '../ui/text/said.ts'
import { Count, State } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { Ago, Since } from '../ui/time.tsx'
import { InlineKnown, WhenKnown } from '../ui/when-known.tsx'
import { JoinDialog, JoinPanel } from './agents/join.tsx'
import { agentState, isConnected, isSkewed, skewText, stageletsOn } from './agents/agent-state.ts'
import s from './agents/agents.module.css'

const States = ({ agent }: { readonly agent: Agent }) => {
  const counts = mapKnown(stagelets.known.value, (all) => countsOf(stageletsOn(agent, all)))
  return (
    <InlineKnown of={counts}>
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
          <State kind={kind} title={messageText(why)}>
            {word}
          </State>
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
    title: 'Agent, engine, Compose',
    wide: true,
    render: ({ version, engine_version: engine, compose_version: compose }) => (
      <span class="num">
        {[version, engine, compose].map((one) => said(one ?? '–')).join(' · ')}
      </span>
    ),
  },
  {
    title: 'Clock',
    wide: true,
    render: (agent) =>
      isSkewed(agent) ? (
        <State kind="warn" title="Its clock is not the controller's">
          {skewText(agent)}
        </State>
      ) : (
        <span class="num">{skewText(agent)}</span>
      ),
  },
  { title: 'Keys', wide: true, render: ({ keys_rotated_at: at }) => <Ago at={at} /> },
]

const byName = (a: Agent, b: Agent): number =>
  Number(isConnected(a)) - Number(isConnected(b)) ||
  a.team.localeCompare(b.team) ||
  a.name.localeCompare(b.name)

/** Of the title of the window. */
const markOf = (count: Known<{ readonly away: number }>): string => {
  if (count.state !== 'known') return '◌'
  const { away } = count.value
  return away > 0 ? `◌ ${away} away` : '●'
}

export const Page = () => {
  const team = useTeam()
  const [isAdding, setAdding] = useState(false)
  const shown = mapKnown(agents.known.value, (all) =>
    all.filter((one) => team === undefined || one.team === team).toSorted(byName),
  )
  const count = mapKnown(shown, (all) => ({
    all: all.length,
    away: all.filter((one) => !isConnected(one)).length,
  }))
  const mayAdd = maySomewhere('create', 'agents/join')
  const add = (): boolean => {
    if (mayAdd) setAdding(true)
    return mayAdd
  }
  useShortcuts([{ keys: 'n', does: 'Add a machine', run: add }])
  return (
    <PageFrame
      windowTitle={`${markOf(count)} Agents`}
      title="Agents"
      state={
        <InlineKnown of={count}>
          {({ all, away }) => (
            <span class="muted num">
              {all} {all === 1 ? 'machine' : 'machines'}
              {away > 0 ? `, ${away} not connected` : ''}
            </span>
          )}
        </InlineKnown>
      }
      actions={
        <Button
          command="add-machine"
          look="primary"
          whyNot={mayAdd ? undefined : 'Needs the role owner or maintainer in a team.'}
          onPress={add}
        >
          Add machine
        </Button>
      }
    >
      <WhenKnown
        of={shown}
        none={
          <Panel>
            <Empty title="No machine has joined yet">
              An agent runs on each machine that has containers. It needs no open port.
            </Empty>
            {mayAdd && !isAdding ? <JoinPanel /> : null}
          </Panel>
        }
      >
        {(all) => (
          <Panel flush>
            <Table label="Agents" columns={columns} rows={all} idOf={({ id }) => id} />
          </Panel>
        )}
      </WhenKnown>
      {isAdding ? <JoinDialog onClose={() => setAdding(false)} /> : null}
    </PageFrame>
  )
}
