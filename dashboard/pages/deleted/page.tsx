// Deleted secrets of a project while they can be restored. A restoration shows first which services get another
// container; an erasure is for good, and asks.
import { useRoute } from 'preact-iso'
import { useState } from 'preact/hooks'
import type { DeletedSecret } from '../../../src/rest/types.ts'
import { api, must } from '../../api/client.ts'
import { whyNot } from '../../app/session.ts'
import { purgeDoing, restoreDoing } from '../../copy-as/secrets.ts'
import { partOf } from '../../live/known.ts'
import { useAction } from '../../ui/action.ts'
import { Button, LinkButton } from '../../ui/button.tsx'
import { confirmed } from '../../ui/confirm-login.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { historyUrl, projectUrl } from '../../ui/text/links.ts'
import { InlineKnown, WhenKnown } from '../../ui/when-known.tsx'
import { Empty, PageFrame, Panel } from '../../ui/page.tsx'
import { ProjectTabs } from '../../ui/project-tabs.tsx'
import { Table } from '../../ui/table.tsx'
import { Ago, lengthOf, Until } from '../../ui/time.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { AskFirst } from '../review/ask-first.tsx'
import { useProjectFound, type ProjectPlace } from '../secrets/data.ts'
import s from './deleted.module.css'

interface Props {
  readonly place: ProjectPlace
  readonly secret: DeletedSecret
  readonly onClose: () => void
}

const mostShown = 1000

const idOf = ({ team, project }: ProjectPlace): string => `${team}/${project}`

const pathOf = ({ place, secret }: Pick<Props, 'place' | 'secret'>) => ({
  project_id: idOf(place),
  secret_id: secret.id,
})

const Restore = ({ onClose, ...of }: Props) => (
  <AskFirst
    place={of.place}
    title={`Restore ${of.secret.key} of ${of.secret.scope}?`}
    verb="Restore"
    note={`${of.secret.key} restored`}
    send={(order) => {
      const query = 'dry_run' in order ? { dry_run: 'true' as const } : {}
      return must(
        api.POST('/projects/{project_id}/secrets/{secret_id}/restore', {
          params: { path: pathOf(of), query },
        }),
      )
    }}
    keysOf={({ key }) => [key]}
    revisionOf={({ revision }) => revision}
    doing={restoreDoing(of.place, of.secret)}
    onClose={onClose}
  />
)

const Erase = ({ onClose, onDone, ...of }: Props & { readonly onDone: () => void }) => {
  const { busy, run } = useAction()
  const { key } = of.secret
  const doing = purgeDoing(of.place, of.secret)
  const erase = async (): Promise<void> => {
    const request = () =>
      must(
        api.POST('/projects/{project_id}/secrets/{secret_id}/purge', {
          params: { path: pathOf(of) },
        }),
      )
    if (await run(() => confirmed(request), `${key} is erased with all its versions.`, doing))
      onDone()
    onClose()
  }
  return (
    <Confirm
      danger
      title={`Erase ${key} for good?`}
      action={`Erase ${key}`}
      busy={busy}
      onConfirm={() => void erase()}
      onClose={onClose}
    >
      <p>
        All its versions go, and nothing brings them back. No container runs it. Backups keep what
        they hold until they are gone too.
      </p>
      <CopyAs doing={doing} />
    </Confirm>
  )
}

interface ListProps {
  readonly place: ProjectPlace
  readonly secrets: readonly DeletedSecret[]
  readonly onDone: () => void
}

const List = ({ place, secrets, onDone }: ListProps) => {
  const [asked, setAsked] = useState<readonly ['restore' | 'erase', DeletedSecret] | undefined>()
  const close = (): void => setAsked(undefined)
  const [verb, secret] = asked ?? []
  return (
    <>
      <Table
        label="Deleted secrets, newest first"
        stacks
        rows={secrets}
        idOf={({ id }) => id}
        columns={[
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
          {
            title: 'Erased by itself',
            render: ({ restorable_until: at }) => (
              <>
                erased <Until at={at} />
              </>
            ),
          },
          {
            title: 'Actions',
            end: true,
            render: (one) => (
              <span class={s['actions']}>
                <Button
                  small
                  label={`Restore ${one.key} of ${one.scope}`}
                  whyNot={whyNot('create', 'stagelysecrets', place.team)}
                  onPress={() => setAsked(['restore', one])}
                >
                  Restore…
                </Button>
                <Button
                  small
                  look="quiet"
                  label={`Erase ${one.key} of ${one.scope}`}
                  whyNot={whyNot('delete', 'stagelysecrets/purge', place.team)}
                  onPress={() => setAsked(['erase', one])}
                >
                  Erase…
                </Button>
              </span>
            ),
          },
        ]}
      />
      {secret !== undefined && verb === 'restore' ? (
        <Restore {...{ place, secret }} onClose={close} />
      ) : null}
      {secret !== undefined && verb === 'erase' ? (
        <Erase {...{ place, secret, onDone }} onClose={close} />
      ) : null}
    </>
  )
}

export const Page = () => {
  const { team = '', project = '' } = useRoute().params
  const place = { team, project }
  const named = { team, name: project }
  const known = partOf(useProjectFound(place))
  const deleted = useQuery({
    key: ['deleted', team, project],
    stamp: [known?.secrets, known?.revision],
    read: (signal) => {
      const params = { path: { project_id: idOf(place) }, query: { limit: mostShown } }
      return must(api.GET('/projects/{project_id}/deleted-secrets', { params, signal }))
    },
  })
  return (
    <PageFrame
      windowTitle={`${project} deleted secrets`}
      title="Deleted secrets"
      within={<a href={projectUrl(named)}>{project}</a>}
      tabs={<ProjectTabs {...named} current="History" />}
      state={
        <InlineKnown of={deleted}>
          {({ secrets }) => <span class="muted num">{secrets.length}</span>}
        </InlineKnown>
      }
      actions={<LinkButton href={historyUrl(named)}>Revisions</LinkButton>}
    >
      <WhenKnown of={deleted} rows={4}>
        {({ secrets, kept_seconds: kept }) => (
          <Panel flush={secrets.length > 0}>
            {secrets.length > 0 ? (
              <List {...{ place, secrets }} onDone={() => void deleted.again()} />
            ) : (
              <Empty title="No deleted secret can be restored">
                A deleted secret is kept here for {lengthOf(kept * 1000)} with all its versions.
                Then it is erased by itself.
              </Empty>
            )}
          </Panel>
        )}
      </WhenKnown>
    </PageFrame>
  )
}
