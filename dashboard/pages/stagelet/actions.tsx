// What can be done with a stagelet: deploy edits of its Compose file, pause it, and retry what failed. A button that the
// role does not allow is disabled, and says which roles may.
import { useState } from 'preact/hooks'
import { whyNot } from '../../session/session.ts'
import { api, must } from '../../api/client.ts'
import type { Stagelet } from '../../../src/generated/rest-types.ts'
import { partOf } from '../../live/known.ts'
import { conditionOf } from '../../live/states.ts'
import {
  deployStagelet,
  extendStagelet,
  pauseStagelet,
  retryStagelet,
  countPrinted,
} from '../../actions/stagelets.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { useAction, whyNotOwned } from '../../ui/action.ts'
import { Button } from '../../ui/button.tsx'
import { CopyMenu } from '../../ui/copy-as.tsx'
import { EditButton } from '../../ui/form-buttons.tsx'
import { Confirm } from '../../ui/dialogs/dialog.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { ImpactTable, recreateText } from '../review/impact.tsx'

interface Props {
  readonly stagelet: Stagelet
}

/** Shows first which containers are re-created. Deployed are the edits that the agent has reported. */
const DeployDialog = ({ stagelet, onClose }: Props & { readonly onClose: () => void }) => {
  const { busy, run } = useAction()
  const tried = useQuery({
    key: ['deploy', stagelet.id],
    read: async (signal) => {
      const params = { path: { stagelet_id: stagelet.id }, query: { dry_run: 'true' as const } }
      const answer = await must(api.POST('/stagelets/{stagelet_id}/deploy', { params, signal }))
      if (!('impact' in answer)) throw new Error('no impact')
      return answer.impact
    },
  })
  const impact = partOf(tried)
  const deploy = async (): Promise<void> => {
    const text = `The deployment of ${stagelet.name} is requested.`
    if (await run(deployStagelet(stagelet), text)) onClose()
  }
  return (
    <Confirm
      title={`Deploy ${stagelet.name}`}
      action={impact === undefined ? 'Deploy' : `Deploy: ${recreateText(impact)}`}
      busy={busy || tried.state === 'loading'}
      whyNot={tried.state === 'failed' ? 'It cannot be deployed now.' : undefined}
      onConfirm={() => void deploy()}
      onClose={onClose}
    >
      <p>Edits of the Compose file and of its env files, as {stagelet.agent} has reported them.</p>
      <WhenKnown value={tried}>
        {(impact) => <ImpactTable impact={impact} none="No container is known to change." />}
      </WhenKnown>
    </Confirm>
  )
}

const Deploy = ({ stagelet }: Props) => {
  const [isOpen, setOpen] = useState(false)
  const hasEdits = conditionOf(stagelet, 'ComposeFileChanged')?.status === 'True'
  return (
    <>
      <Button
        command={`deploy:${stagelet.id}`}
        variant={hasEdits ? 'primary' : 'plain'}
        whyNot={whyNot('create', 'stagelets/deploy', stagelet.team)}
        onPress={() => setOpen(true)}
      >
        Deploy
      </Button>
      {isOpen ? <DeployDialog stagelet={stagelet} onClose={() => setOpen(false)} /> : null}
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
        variant={paused ? 'primary' : 'plain'}
        whyNot={whyNot('patch', 'stagelets/pause', team) ?? whyNotOwned(source)}
        action={pauseStagelet(stagelet)}
        onDone={paused ? `${name} is resumed.` : `${name} is paused: it keeps what it runs.`}
      >
        {paused ? 'Resume' : 'Pause'}
      </ActionButton>
      <ActionButton
        command={`retry:${id}`}
        variant={hasFailed(stagelet) ? 'primary' : 'quiet'}
        whyNot={
          whyNot('create', 'stagelets/deploy', team) ??
          (hasFailed(stagelet) ? undefined : 'Nothing failed.')
        }
        action={retryStagelet(stagelet)}
        onDone={`${agent} retries what failed.`}
      >
        Retry
      </ActionButton>
      {stagelet.ends_at === undefined ? null : (
        <ActionButton
          command={`extend:${id}`}
          variant="quiet"
          whyNot={whyNot('create', 'stagelets/deploy', team)}
          action={extendStagelet(stagelet)}
          onDone={`The end of ${name} is put off by ${stagelet.ttl ?? ''} from now.`}
        >
          Extend
        </ActionButton>
      )}
      <EditButton kind="stack" resource="stagelets" object={stagelet} />
      <CopyMenu
        actions={[
          ...[deployStagelet, pauseStagelet, retryStagelet, countPrinted],
          ...(stagelet.ends_at === undefined ? [] : [extendStagelet]),
        ].map((actionOf) => actionOf(stagelet))}
      />
    </>
  )
}
