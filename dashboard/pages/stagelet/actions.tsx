// What can be done with a stagelet: deploy edits of its Compose file, pause it, and retry what failed. A button that the
// role does not allow is disabled, and says which roles may.
import { useState } from 'preact/hooks'
import { whyNot } from '../../app/session.ts'
import { api, must } from '../../api/client.ts'
import type { Stagelet } from '../../../src/rest/types.ts'
import { conditionOf } from '../../live/states.ts'
import {
  deployStagelet,
  pauseStagelet,
  retryStagelet,
  startLeakTest,
} from '../../actions/stagelets.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { useAction, whyNotOwned } from '../../ui/action.ts'
import { Button } from '../../ui/button.tsx'
import { CopyMenu } from '../../ui/copy-as.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Skeleton } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { countOf, ImpactList, type DeployImpact } from './impact.tsx'

interface Props {
  readonly stagelet: Stagelet
}

type Tried = { readonly impact: DeployImpact } | { readonly error: unknown } | undefined

const tryDeploy = async (stagelet: Stagelet): Promise<Tried> => {
  try {
    const params = { path: { stagelet_id: stagelet.id }, query: { dry_run: 'true' as const } }
    const tried = await must(api.POST('/stagelets/{stagelet_id}/deploy', { params }))
    return 'impact' in tried ? tried : { error: new Error('no impact') }
  } catch (error) {
    return { error }
  }
}

const deployText = (tried: Tried): string => {
  if (tried === undefined || 'error' in tried) return 'Deploy'
  const count = countOf(tried.impact)
  return count === 0
    ? 'Deploy: no container is known to change'
    : `Deploy: re-create ${count} ${count === 1 ? 'container' : 'containers'}`
}

/** Shows first which containers get a new one; what is deployed is what the agent has reported as edited. */
const DeployDialog = ({
  stagelet,
  tried,
  onClose,
}: Props & { readonly tried: Tried; readonly onClose: () => void }) => {
  const { busy, run } = useAction()
  const deploy = async (): Promise<void> => {
    const text = `The deployment of ${stagelet.name} is requested.`
    const isDone = await run(deployStagelet(stagelet), text)
    if (isDone) onClose()
  }
  return (
    <Confirm
      title={`Deploy ${stagelet.name}`}
      action={deployText(tried)}
      busy={busy || tried === undefined}
      whyNot={tried !== undefined && 'error' in tried ? 'It cannot be deployed now.' : undefined}
      onConfirm={() => void deploy()}
      onClose={onClose}
    >
      {tried === undefined ? (
        <Skeleton />
      ) : 'error' in tried ? (
        <ProblemBox error={tried.error} />
      ) : (
        <>
          <p>
            Edits of the Compose file and of its env files, as {stagelet.agent} has reported them.
          </p>
          <ImpactList impact={tried.impact} />
        </>
      )}
    </Confirm>
  )
}

const Deploy = ({ stagelet }: Props) => {
  const [isOpen, setOpen] = useState(false)
  const [tried, setTried] = useState<Tried>()
  const hasEdits = conditionOf(stagelet, 'ComposeFileChanged')?.status === 'True'
  return (
    <>
      <Button
        command={`deploy:${stagelet.id}`}
        look={hasEdits ? 'primary' : 'plain'}
        whyNot={whyNot('create', 'stagelets/deploy', stagelet.team)}
        onPress={() => {
          setTried(undefined)
          setOpen(true)
          void tryDeploy(stagelet).then(setTried)
        }}
      >
        Deploy
      </Button>
      {isOpen ? (
        <DeployDialog stagelet={stagelet} tried={tried} onClose={() => setOpen(false)} />
      ) : null}
    </>
  )
}

const hasFailed = (stagelet: Stagelet): boolean =>
  conditionOf(stagelet, 'Degraded')?.status === 'True' ||
  ['Failed', 'RolledBack'].includes(stagelet.last_rollout?.result ?? '')

export const StageletActions = ({ stagelet }: Props) => {
  const { id, name, team, agent, paused, source } = stagelet
  return (
    <>
      <Deploy stagelet={stagelet} />
      <ActionButton
        command={`pause:${id}`}
        look={paused ? 'primary' : 'plain'}
        whyNot={whyNot('patch', 'stagelets', team) ?? whyNotOwned(source)}
        action={pauseStagelet(stagelet)}
        onDone={paused ? `${name} is resumed.` : `${name} is paused: it keeps what it runs.`}
      >
        {paused ? 'Resume' : 'Pause'}
      </ActionButton>
      <ActionButton
        command={`retry:${id}`}
        look={hasFailed(stagelet) ? 'primary' : 'quiet'}
        whyNot={
          whyNot('create', 'stagelets/deploy', team) ??
          (hasFailed(stagelet) ? undefined : 'Nothing failed.')
        }
        action={retryStagelet(stagelet)}
        onDone={`${agent} retries what failed.`}
      >
        Retry
      </ActionButton>
      <CopyMenu
        actions={[deployStagelet, pauseStagelet, retryStagelet, startLeakTest].map((actionOf) =>
          actionOf(stagelet),
        )}
      />
    </>
  )
}
