// How far the newest revision of a project is: a bar, the same in words, what stops it, and its control.
import type { Project, Rollout } from '../../../src/generated/rest-types.ts'
import { pauseRollout, resumeRollout, retryRollout } from '../../actions/stagelets.ts'
import { whyNot } from '../../session/session.ts'
import { whyNotOwned } from '../../ui/action.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { toast } from '../../ui/announce.tsx'
import { CopyMenu } from '../../ui/copy-as.tsx'
import { StateText } from '../../ui/state.tsx'
import { revisionUrl } from '../../ui/text/links.ts'
import { messageText } from '../../ui/text/message.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import type { ReadRollout } from './data.ts'
import { countsText, revisionText, rolloutState, stopText } from './words.ts'
import s from './revisions.module.css'

interface Props {
  readonly project: Project
  readonly rollout: Rollout
  readonly show: ReadRollout['show']
}

const Actions = ({ project, rollout, show }: Props) => {
  const { id, name, team, source } = project
  const isHeld = rollout.state === 'Paused' || rollout.state === 'Braked'
  return (
    <div class={s['actions']}>
      <ActionButton
        command={`pause:${id}`}
        variant={isHeld ? 'primary' : 'plain'}
        whyNot={whyNot('patch', 'stagelets/pause', team) ?? whyNotOwned(source)}
        action={isHeld ? resumeRollout(project) : pauseRollout(project)}
        onDone={(answer) => {
          show(answer)
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
    </div>
  )
}

const parts = ['failed', 'healthy', 'progressing', 'waiting', 'held', 'unknown'] as const

const Bar = ({ rollout }: Pick<Props, 'rollout'>) => (
  <div>
    <div class={s['bar']} aria-hidden="true">
      {parts.map((part) =>
        (rollout[part] ?? 0) === 0 ? null : (
          <i key={part} class={s[part]} style={{ flexGrow: String(rollout[part]) }} />
        ),
      )}
    </div>
    <span class="num">{countsText(rollout)}</span>
    <p class={s['message']}>{messageText(stopText(rollout))}</p>
  </div>
)

const Known = ({ project, rollout, show }: Props) => {
  const [kind, word] = rolloutState(rollout)
  const { in_turns: inTurns, change_set_open: isOpen } = rollout
  return (
    <>
      <div>
        <a href={revisionUrl(project, 'newest')}>
          <b>{project.name}</b>
        </a>{' '}
        <span class="muted num">{revisionText(rollout.revision)}</span>
        <div>
          <StateText kind={kind}>{word}</StateText>{' '}
          <span class="muted">
            {inTurns ? 'in batches' : 'all stagelets at once'}
            {isOpen ? '; newer changes follow' : ''}
          </span>
        </div>
      </div>
      <Bar rollout={rollout} />
      <Actions project={project} rollout={rollout} show={show} />
    </>
  )
}

export const ProjectRollout = ({
  project,
  read,
  show,
}: ReadRollout & { readonly project: Project }) => (
  <div class={s['row']}>
    <WhenKnown value={read} rows={1}>
      {(rollout) => <Known project={project} rollout={rollout} show={show} />}
    </WhenKnown>
  </div>
)
