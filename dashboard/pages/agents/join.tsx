// Lets a machine in: one command, shown once, with the time that is left, and when the machine has joined.
import { defined } from '../../../src/kernel/defined.ts'
import { useEffect, useRef, useState } from 'preact/hooks'
import { teamsToCreateIn } from '../../session/known-teams.ts'
import { whyNot } from '../../session/session.ts'
import { api, ApiProblem, must } from '../../api/client.ts'
import type { Agent } from '../../../src/generated/rest-types.ts'
import { agents } from '../../live/collections.ts'
import { now, thisSecond } from '../../api/clock.ts'
import { someOf } from '../../live/known.ts'
import { createJoinToken } from '../../actions/agents.ts'
import { newObject } from '../../actions/kinds.ts'
import { Button } from '../../ui/button.tsx'
import { confirmed } from '../../ui/dialogs/confirm-login.tsx'
import { CopyCommand } from '../../ui/copy.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { Dialog } from '../../ui/dialogs/dialog.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { StateText } from '../../ui/state.tsx'
import { durationText } from '../../ui/time.tsx'
import { useSending } from '../../ui/use-sending.ts'
import { isConnected } from './agent-state.ts'
import { TeamField } from '../../ui/fields/team-field.tsx'
import s from './agents.module.css'

interface Made {
  readonly agent: Agent
  readonly command: string
  readonly expiresAt: number
  readonly shownAt: number
}

const lifetimes = [
  { seconds: 600, text: '10 minutes' },
  { seconds: 3600, text: '1 hour' },
  { seconds: 86_400, text: '1 day' },
]

const joinTokenOf = async (agent: Agent, ttl: number): Promise<Made> => {
  const { command, expires_at: expires } = await must(
    api.POST('/agents/{agent_id}/join-token', {
      params: { path: { agent_id: agent.id } },
      body: { ttl_seconds: ttl },
    }),
  )
  // It is left out of a repeated answer only, and no request of this page is repeated.
  if (command === undefined) throw new Error('the command was shown already')
  return { agent, command, expiresAt: Date.parse(expires), shownAt: now() }
}

/** The agent of that name: made here, unless it is there already and no machine has joined as it. */
const agentNamed = async (team: string, name: string): Promise<Agent> => {
  try {
    return await must(api.POST('/agents', { body: { team, name } }))
  } catch (error) {
    const agent = someOf(agents.list.peek()).find(
      (agent) => agent.team === team && agent.name === name,
    )
    const isTaken = error instanceof ApiProblem && error.problem.reason === 'AlreadyExists'
    if (isTaken && agent !== undefined && agent.version === undefined) return agent
    throw error
  }
}

const Waiting = ({ command }: { readonly command: Made }) => {
  const agent = agents.cell(command.agent.id).value
  const joinedAt = useRef<number | undefined>(undefined)
  const wasLost = command.agent.last_seen
  const hasJoined = agent !== undefined && isConnected(agent) && agent.last_seen !== wasLost
  if (hasJoined) joinedAt.current ??= now()
  if (joinedAt.current !== undefined)
    return (
      <p role="status">
        <StateText kind="ok">
          Joined after {durationText(joinedAt.current - command.shownAt)}
        </StateText>
      </p>
    )
  const left = command.expiresAt - thisSecond.value
  if (left <= 0)
    return (
      <p role="status">
        <StateText kind="fail">This command has run out. Make another one.</StateText>
      </p>
    )
  return (
    <p>
      <StateText kind="wait">Waiting for the machine</StateText>{' '}
      <span class="muted num">
        good for {durationText(left)} more, waiting for{' '}
        {durationText(thisSecond.value - command.shownAt)}
      </span>
    </p>
  )
}

const Shown = ({ command }: { readonly command: Made }) => (
  <div class={s['join']}>
    <p>
      Run this on the machine that is to be <b>{command.agent.name}</b>. It is shown this one time,
      and is good for one machine.
    </p>
    <CopyCommand text={command.command} />
    <Waiting command={command} />
  </div>
)

interface FormProps {
  readonly agent: Agent | undefined
  readonly busy: boolean
  readonly onMake: (team: string, name: string, ttl: number) => void
}

const Form = ({ agent, busy, onMake }: FormProps) => {
  const teams = teamsToCreateIn()
  const [team, setTeam] = useState(agent?.team ?? teams[0] ?? 'default')
  const [name, setName] = useState(agent?.name ?? '')
  const [ttl, setTtl] = useState(600)
  const refused =
    whyNot('create', 'agents/join', team) ?? (name === '' ? 'Give the machine a name.' : undefined)
  return (
    <form
      class={s['form']}
      onSubmit={(event) => {
        event.preventDefault()
        if (refused === undefined) onMake(team, name, ttl)
      }}
    >
      {agent === undefined ? (
        <label>
          Name
          <input
            value={name}
            placeholder="web-1"
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setName(event.currentTarget.value.trim())}
          />
        </label>
      ) : null}
      {agent === undefined ? <TeamField teams={teams} team={team} onTeam={setTeam} /> : null}
      <label>
        The command is good for
        <select value={String(ttl)} onChange={(event) => setTtl(Number(event.currentTarget.value))}>
          {lifetimes.map(({ seconds, text }) => (
            <option value={String(seconds)}>{text}</option>
          ))}
        </select>
      </label>
      <Button variant="primary" submit busy={busy} whyNot={refused} onPress={() => undefined}>
        Make the command
      </Button>
      {name === '' ? null : (
        <>
          {agent === undefined ? <CopyAs action={newObject('Agent', { team, name })} /> : null}
          <CopyAs action={createJoinToken({ team, name }, ttl)} />
        </>
      )}
    </form>
  )
}

/** Where `agent` is given, its machine joins again; else a new agent is made. */
export const JoinPanel = ({ agent }: { readonly agent?: Agent }) => {
  const [command, setCommand] = useState<Made>()
  const { busy, error, run } = useSending()
  const make = (team: string, name: string, ttl: number): Promise<void> =>
    run(async () => {
      const target = agent ?? (await agentNamed(team, name))
      setCommand(await confirmed(() => joinTokenOf(target, ttl)))
    })
  // The command goes when the page is left, also by "back" to a page that the browser kept.
  useEffect(() => {
    const forget = (): void => setCommand(undefined)
    window.addEventListener('pagehide', forget)
    return () => window.removeEventListener('pagehide', forget)
  }, [])
  return (
    <>
      {error === undefined ? null : <ProblemBox error={error} />}
      {command === undefined ? (
        <Form agent={agent} busy={busy} onMake={(...all) => void make(...all)} />
      ) : (
        <Shown command={command} />
      )}
    </>
  )
}

export const JoinDialog = ({
  agent,
  onClose,
}: {
  readonly agent?: Agent
  readonly onClose: () => void
}) => (
  <Dialog
    wide
    title={agent === undefined ? 'Add a machine' : `Let a machine join as ${agent.name}`}
    onClose={onClose}
  >
    <JoinPanel {...defined({ agent })} />
  </Dialog>
)
