// Pause, resume and retry of a project's rollout.
import { whyNot } from '../../app/session.ts'
import { api, must } from '../../api/client.ts'
import type { Project, Rollout } from '../../../src/rest/types.ts'
import {
  pauseRolloutDoing,
  resumeRolloutDoing,
  retryRolloutDoing,
} from '../../copy-as/stagelets.ts'
import { useAction, whyNotOwned } from '../../ui/action.ts'
import { Button } from '../../ui/button.tsx'
import { CopyMenu } from '../../ui/copy-as.tsx'

interface Props {
  readonly project: Project
  readonly rollout: Rollout
  readonly onChange: (rollout: Rollout) => void
}

const pathOf = ({ id }: Project) => ({ path: { project_id: id } })

const Steer = ({ project, rollout, onChange }: Props) => {
  const { busy, run } = useAction()
  const isHeld = rollout.state === 'Paused' || rollout.state === 'Braked'
  const steer = async (): Promise<void> => {
    const params = pathOf(project)
    onChange(
      isHeld
        ? await must(api.POST('/projects/{project_id}/rollout/resume', { params }))
        : await must(api.POST('/projects/{project_id}/rollout/pause', { params })),
    )
  }
  return (
    <Button
      command={`pause:${project.id}`}
      look={isHeld ? 'primary' : 'plain'}
      busy={busy}
      whyNot={whyNot('patch', 'projects', project.team) ?? whyNotOwned(project.source)}
      onPress={() =>
        void run(
          steer,
          isHeld
            ? `${project.name} goes on.`
            : `No further stagelet of ${project.name} starts on a new revision. What has begun goes on.`,
          isHeld ? resumeRolloutDoing(project) : pauseRolloutDoing(project),
        )
      }
    >
      {isHeld ? 'Resume' : 'Pause'}
    </Button>
  )
}

const Retry = ({ project, rollout }: Omit<Props, 'onChange'>) => {
  const { busy, run } = useAction()
  const retry = (): Promise<unknown> =>
    must(api.POST('/projects/{project_id}/rollout/retry', { params: pathOf(project) }))
  return (
    <Button
      command={`retry:${project.id}`}
      busy={busy}
      whyNot={
        whyNot('create', 'stagelets/deploy', project.team) ??
        (rollout.failed > 0 ? undefined : 'Nothing failed.')
      }
      onPress={() =>
        void run(
          retry,
          `What failed in ${project.name} is tried again.`,
          retryRolloutDoing(project),
        )
      }
    >
      Retry
    </Button>
  )
}

export const RolloutActions = (props: Props) => (
  <>
    <Steer {...props} />
    <Retry {...props} />
    <CopyMenu
      doings={[pauseRolloutDoing, resumeRolloutDoing, retryRolloutDoing].map((doing) =>
        doing(props.project),
      )}
    />
  </>
)
