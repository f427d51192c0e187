// Deleted secrets of a project while they can be restored. A restoration shows first which services get another
// container; an erasure is for good, and asks.
import { useRoute } from 'preact-iso'
import { useState } from 'preact/hooks'
import type { DeletedSecret } from '../../../src/generated/rest-types.ts'
import { purgeAction, restoreAction } from '../../actions/secrets.ts'
import { api, must } from '../../api/client.ts'
import { whyNot } from '../../session/session.ts'
import { mapKnown, partOf } from '../../live/known.ts'
import { Button, LinkButton } from '../../ui/button.tsx'
import { ConfirmAction } from '../../ui/dialogs/confirm-action.tsx'
import { ListPage } from '../../ui/list.tsx'
import { Empty } from '../../ui/page.tsx'
import { ProjectTabs } from '../../ui/tabs.tsx'
import { RowActions, type TableColumn } from '../../ui/table.tsx'
import { revisionsUrl, projectUrl } from '../../ui/text/links.ts'
import { Ago, durationText, Until } from '../../ui/time.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { AskFirst } from '../review/ask-first.tsx'
import { useProjectFound, type ProjectPlace } from '../project/data.ts'

const mostShown = 1000

const projectId = ({ team, project }: ProjectPlace): string => `${team}/${project}`

interface RestoreProps {
  readonly place: ProjectPlace
  readonly secret: DeletedSecret
  readonly onClose: () => void
}

const Restore = ({ place, secret, onClose }: RestoreProps) => (
  <AskFirst
    place={place}
    title={`Restore ${secret.key} of ${secret.scope}?`}
    verb="Restore"
    note={`${secret.key} restored`}
    send={(order) => {
      const path = { project_id: projectId(place), secret_id: secret.id }
      const query = 'dry_run' in order ? { dry_run: 'true' as const } : {}
      return must(
        api.POST('/projects/{project_id}/secrets/{secret_id}/restore', { params: { path, query } }),
      )
    }}
    keysOf={({ key }) => [key]}
    revisionOf={({ revision }) => revision}
    action={restoreAction(place, secret)}
    onClose={onClose}
  />
)

type Opened = readonly ['restore' | 'erase', DeletedSecret]

const columnsOf = (
  team: string,
  open: (next: Opened) => void,
): readonly TableColumn<DeletedSecret>[] => [
  {
    title: 'Key',
    head: true,
    render: ({ key, scope, stagelet }) => (
      <>
        <code>{key}</code>
        <small>
          {scope}
          {stagelet === undefined ? '' : ` of ${stagelet}`}
        </small>
      </>
    ),
  },
  {
    title: 'Deleted',
    render: ({ deleted_at: at, deleted_by: by }) => (
      <>
        <Ago at={at} />
        <small>by {by}</small>
      </>
    ),
  },
  { title: 'Erased', render: ({ restorable_until: at }) => <Until at={at} /> },
  {
    title: 'Actions',
    end: true,
    render: (secret) => (
      <RowActions>
        <Button
          small
          label={`Restore ${secret.key} of ${secret.scope}`}
          whyNot={whyNot('create', 'stagelysecrets', team)}
          onPress={() => open(['restore', secret])}
        >
          Restore…
        </Button>
        <Button
          small
          variant="quiet"
          label={`Erase ${secret.key} of ${secret.scope}`}
          whyNot={whyNot('delete', 'stagelysecrets/purge', team)}
          onPress={() => open(['erase', secret])}
        >
          Erase…
        </Button>
      </RowActions>
    ),
  },
]

export const Page = () => {
  const { team = '', project = '' } = useRoute().params
  const place = { team, project }
  const named = { team, name: project }
  const [opened, setOpened] = useState<Opened | undefined>()
  const close = (): void => setOpened(undefined)
  const [verb, secret] = opened ?? []
  const found = partOf(useProjectFound(place))
  const deleted = useQuery({
    key: ['deleted', team, project],
    refetchOn: [found?.secrets, found?.revision],
    read: (signal) => {
      const params = { path: { project_id: projectId(place) }, query: { limit: mostShown } }
      return must(api.GET('/projects/{project_id}/deleted-secrets', { params, signal }))
    },
  })
  return (
    <ListPage
      windowTitle={`${project} deleted secrets`}
      title="Deleted secrets"
      label="Deleted secrets, newest first"
      within={<a href={projectUrl(named)}>{project}</a>}
      tabs={<ProjectTabs {...named} current="Revisions" />}
      actions={<LinkButton href={revisionsUrl(named)}>Revisions</LinkButton>}
      stacks
      rows={mapKnown(deleted, ({ secrets }) => secrets)}
      idOf={({ id }) => id}
      columns={columnsOf(team, setOpened)}
      empty={
        <Empty title="No deleted secrets">
          A deleted secret can be restored, with all its versions, for{' '}
          {durationText((partOf(deleted)?.kept_seconds ?? 0) * 1000)}. Then it is erased.
        </Empty>
      }
    >
      {secret !== undefined && verb === 'restore' ? (
        <Restore place={place} secret={secret} onClose={close} />
      ) : null}
      {secret !== undefined && verb === 'erase' ? (
        <ConfirmAction
          danger
          title={`Erase ${secret.key} for good?`}
          label={`Erase ${secret.key}`}
          action={purgeAction(place, secret)}
          onDone={() => void deleted.refetch()}
          onClose={close}
        >
          <p>
            All its versions are erased, and cannot be restored. No container uses it. Backups keep
            it until they are erased too.
          </p>
        </ConfirmAction>
      ) : null}
    </ListPage>
  )
}
