// Pause, resume and retry of a project's rollout.
import type { Project, Rollout } from '../../../src/generated/rest-types.ts'
import { pauseRollout, resumeRollout, retryRollout } from '../../actions/stagelets.ts'
import { whyNot } from '../../session/session.ts'
import { whyNotOwned } from '../../ui/action.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { toast } from '../../ui/announce.tsx'
import { CopyMenu } from '../../ui/copy-as.tsx'

interface Props {
  readonly project: Project
  readonly rollout: Rollout
  readonly onChange: (rollout: Rollout) => void
}

export const RolloutActions = ({ project, rollout, onChange }: Props) => {
  const { id, name, team, source } = project
  const isHeld = rollout.state === 'Paused' || rollout.state === 'Braked'
  return (
    <>
      <ActionButton
        command={`pause:${id}`}
        variant={isHeld ? 'primary' : 'plain'}
        whyNot={whyNot('patch', 'stagelets/pause', team) ?? whyNotOwned(source)}
        action={isHeld ? resumeRollout(project) : pauseRollout(project)}
        onDone={(answer) => {
          onChange(answer)
          const text = isHeld
            ? `The rollout of ${name} is resumed.`
            : `The rollout of ${name} is paused. Deployments that have started go on.`
          toast({ kind: 'ok', text })
        }}
      >
        {isHeld ? 'Resume' : 'Pause'}
      </ActionButton>
      <ActionButton
        command={`retry:${id}`}
        whyNot={
          whyNot('create', 'stagelets/deploy', team) ??
          (rollout.failed > 0 ? undefined : 'Nothing failed.')
        }
        action={retryRollout(project)}
        onDone={`The failed stagelets of ${name} are retried.`}
      >
        Retry
      </ActionButton>
      <CopyMenu actions={[pauseRollout(project), resumeRollout(project), retryRollout(project)]} />
    </>
  )
}
