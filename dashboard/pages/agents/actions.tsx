// What one can do with an agent: pause, drain, new keys, and revoke, which asks first.
import { useState } from 'preact/hooks'
import { whyNot } from '../../app/session.ts'
import { api, must } from '../../api/client.ts'
import type { Agent } from '../../../src/rest/types.ts'
import { revokeDoing, rotateAgentDoing, switchAgentDoing } from '../../copy-as/machines.ts'
import type { Known } from '../../live/known.ts'
import { useAction } from '../../ui/action.ts'
import { Button } from '../../ui/button.tsx'
import { confirmed } from '../../ui/confirm-login.tsx'
import { CopyMenu } from '../../ui/copy-as.tsx'
import { Confirm } from '../../ui/dialog.tsx'

interface Props {
  readonly agent: Agent
}

const pathOf = ({ id }: Agent) => ({ path: { agent_id: id } })

const Switch = ({
  agent,
  field,
  on,
  off,
  told,
}: Props & {
  readonly field: 'paused' | 'drained'
  readonly on: string
  readonly off: string
  readonly told: string
}) => {
  const { busy, run } = useAction()
  const isOn = agent[field]
  const body = field === 'paused' ? { paused: !isOn } : { drained: !isOn }
  return (
    <Button
      command={`${field}:${agent.id}`}
      busy={busy}
      whyNot={whyNot('patch', 'agents', agent.team)}
      onPress={() =>
        void run(
          () => must(api.PATCH('/agents/{agent_id}', { params: pathOf(agent), body })),
          isOn ? `${agent.name} goes on.` : told,
          switchAgentDoing(agent, field),
        )
      }
    >
      {isOn ? off : on}
    </Button>
  )
}

const RotateKeys = ({ agent }: Props) => {
  const { busy, run } = useAction()
  return (
    <Button
      command={`new-keys:${agent.id}`}
      look="quiet"
      busy={busy}
      whyNot={whyNot('patch', 'agents', agent.team)}
      onPress={() =>
        void run(
          () => must(api.POST('/agents/{agent_id}/rotate-keys', { params: pathOf(agent) })),
          `${agent.name} is asked for new keys. No container restarts.`,
          rotateAgentDoing(agent),
        )
      }
    >
      New keys
    </Button>
  )
}

/** How many, where that is known. */
const stageletsText = (count: Known<number>): string => {
  if (count.state !== 'known') return 'its stagelets'
  return `${count.value} ${count.value === 1 ? 'stagelet' : 'stagelets'}`
}

const Revoke = ({ agent, stagelets }: Props & { readonly stagelets: Known<number> }) => {
  const { busy, run } = useAction()
  const [isAsked, setAsked] = useState(false)
  const revoke = async (): Promise<void> => {
    const isDone = await run(
      () => confirmed(() => must(api.POST('/agents/{agent_id}/revoke', { params: pathOf(agent) }))),
      `${agent.name} is locked out.`,
      revokeDoing(agent),
    )
    if (isDone) setAsked(false)
  }
  return (
    <>
      <Button
        command={`revoke:${agent.id}`}
        look="danger"
        whyNot={whyNot('create', 'agents/join', agent.team)}
        onPress={() => setAsked(true)}
      >
        Revoke
      </Button>
      {isAsked ? (
        <Confirm
          title={`Revoke ${agent.name}`}
          action={`Lock out ${agent.name}`}
          danger
          busy={busy}
          onConfirm={() => void revoke()}
          onClose={() => setAsked(false)}
        >
          <p>
            Its keys open nothing any more. Containers of {stageletsText(stagelets)} go on with the
            secrets that they have, and get no change. A join token lets the machine in again.
          </p>
        </Confirm>
      ) : null}
    </>
  )
}

export const AgentActions = ({
  agent,
  stagelets,
}: Props & { readonly stagelets: Known<number> }) => (
  <>
    <Switch
      agent={agent}
      field="paused"
      on="Pause"
      off="Resume"
      told={`${agent.name} is paused: it reports, and changes nothing.`}
    />
    <Switch
      agent={agent}
      field="drained"
      on="Drain"
      off="End draining"
      told={`${agent.name} is drained: its stagelets keep what they run.`}
    />
    <RotateKeys agent={agent} />
    <Revoke agent={agent} stagelets={stagelets} />
    <CopyMenu
      doings={[
        switchAgentDoing(agent, 'paused'),
        switchAgentDoing(agent, 'drained'),
        rotateAgentDoing(agent),
        revokeDoing(agent),
      ]}
    />
  </>
)
