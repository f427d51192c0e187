// What can be done with an agent: pause, drain, rotate its keys, and revoke, which asks first.
import { useState } from 'preact/hooks'
import type { Agent } from '../../../src/generated/rest-types.ts'
import { revokeAgent, rotateAgentKeys, switchAgent } from '../../actions/agents.ts'
import { whyNot } from '../../session/session.ts'
import type { Known } from '../../live/known.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmAction } from '../../ui/dialogs/confirm-action.tsx'
import { CopyMenu } from '../../ui/copy-as.tsx'

interface Props {
  readonly agent: Agent
  /** How many stagelets the agent has. */
  readonly stagelets: Known<number>
}

const stageletsText = (count: Known<number>): string => {
  if (count.state !== 'known') return 'its stagelets'
  return `${count.value} ${count.value === 1 ? 'stagelet' : 'stagelets'}`
}

const Revoke = ({ agent, stagelets }: Props) => {
  const [asks, setAsks] = useState(false)
  return (
    <>
      <Button
        command={`revoke:${agent.id}`}
        variant="danger"
        whyNot={whyNot('create', 'agents/join', agent.team)}
        onPress={() => setAsks(true)}
      >
        Revoke
      </Button>
      {asks ? (
        <ConfirmAction
          danger
          title={`Revoke ${agent.name}?`}
          label={`Revoke ${agent.name}`}
          action={revokeAgent(agent)}
          onDone={`${agent.name} is revoked.`}
          onClose={() => setAsks(false)}
        >
          <p>
            Its keys stop working. The containers of {stageletsText(stagelets)} keep the secrets
            that they have, and get no changes. The machine can join again with a new join token.
          </p>
        </ConfirmAction>
      ) : null}
    </>
  )
}

export const AgentActions = ({ agent, stagelets }: Props) => {
  const { id, name, team, paused, drained } = agent
  const refused = whyNot('patch', 'agents', team)
  const [pause, drain] = [switchAgent(agent, 'paused'), switchAgent(agent, 'drained')]
  return (
    <>
      <ActionButton
        command={`paused:${id}`}
        whyNot={refused}
        action={pause}
        onDone={
          paused ? `${name} is resumed.` : `${name} is paused: it reports, and changes nothing.`
        }
      >
        {paused ? 'Resume' : 'Pause'}
      </ActionButton>
      <ActionButton
        command={`drained:${id}`}
        whyNot={refused}
        action={drain}
        onDone={
          drained
            ? `${name} is no longer drained.`
            : `${name} is drained: its stagelets keep what they run.`
        }
      >
        {drained ? 'Stop draining' : 'Drain'}
      </ActionButton>
      <ActionButton
        command={`new-keys:${id}`}
        variant="quiet"
        whyNot={refused}
        action={rotateAgentKeys(agent)}
        onDone={`New keys for ${name} are requested. No container restarts.`}
      >
        Rotate keys
      </ActionButton>
      <Revoke agent={agent} stagelets={stagelets} />
      <CopyMenu actions={[pause, drain, rotateAgentKeys(agent), revokeAgent(agent)]} />
    </>
  )
}
