// One secret: where it is, who runs it, its versions, and what may be done.
import { takeBack } from '../../staging/staging.ts'
import { Button } from '../../ui/button.tsx'
import { CopyAs } from '../../ui/copy.tsx'
import { Drawer, Facts, Section } from '../../ui/drawer.tsx'
import { stageletUrl } from '../../ui/links.ts'
import { State } from '../../ui/state.tsx'
import { Since } from '../../ui/time.tsx'
import { RunsState, stagedWord } from './columns.tsx'
import type { ProjectPlace, SecretRow } from './data.ts'
import { ReadValue } from './read-value.tsx'
import { Versions } from './versions.tsx'
import s from './page.module.css'

interface Props {
  readonly row: SecretRow
  readonly place: ProjectPlace
  readonly noWrite: string | undefined
  readonly onEdit: () => void
  readonly onDelete: () => void
  readonly onClose: () => void
}

const Consumers = ({ row }: Pick<Props, 'row'>) => (
  <ul class={s['consumers']}>
    {row.runs.consumers.map(({ stagelet, service, isCurrent }) => (
      <li key={`${stagelet.name}/${service.name}`}>
        <a href={stageletUrl(stagelet)}>
          {stagelet.name}/{service.name}
        </a>
        {isCurrent === undefined ? (
          <State kind="unknown">Unknown</State>
        ) : isCurrent ? (
          <span>
            <State kind="ok">runs it</State>{' '}
            <span class="muted">
              since <Since at={service.since} />
            </span>
          </span>
        ) : (
          <State kind="wait">
            Behind{service.revision === undefined ? '' : `, runs r${service.revision}`}
          </State>
        )}
      </li>
    ))}
  </ul>
)

const isOwned = (source: string): boolean => source !== 'api' && source !== 'system'

/** How to do the same elsewhere. A value is read from standard input, and is in no form. */
const formsOf = ({ secret }: SecretRow, { team, project }: ProjectPlace) => ({
  stagely: `stagely -n ${team} secrets set ${secret.key} --project ${project} --scope ${secret.scope} < VALUE_FILE`,
  kubectl: `kubectl -n ${team} get stagelysecret ${secret.name} -o yaml`,
  yaml: `apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata:
  name: ${secret.name}
  namespace: ${team}
spec:
  projectRef: { name: ${project} }
  key: ${secret.key}
  scope: ${secret.scope}${secret.stagelet === undefined ? '' : `\n  stagelet: ${secret.stagelet}`}
  type: ${secret.type}`,
})

export const SecretDrawer = ({ row, place, noWrite, onEdit, onDelete, onClose }: Props) => {
  const { secret, edit, runs } = row
  const owned = isOwned(secret.source)
    ? `It belongs to ${secret.source}: change it there.`
    : undefined
  const why = noWrite ?? owned
  const isNew = secret.version === 0 && secret.name === ''
  return (
    <Drawer
      title={secret.key}
      under={`${secret.scope}${secret.stagelet === undefined ? '' : ` of ${secret.stagelet}`}`}
      onClose={onClose}
    >
      <div class={s['buttons']}>
        <Button look="primary" whyNot={why} keys="e" onPress={onEdit}>
          {isNew ? 'Edit' : 'Replace value'}
        </Button>
        {edit === undefined ? (
          <Button look="danger" whyNot={why} onPress={onDelete}>
            Delete
          </Button>
        ) : (
          <Button
            keys="z"
            onPress={() => {
              takeBack(place.team, place.project, edit.id)
            }}
          >
            Take back
          </Button>
        )}
      </div>
      {edit === undefined ? null : (
        <Section title="Staged">
          <State kind="staged">
            {stagedWord(row)}
            {edit.bytes === undefined ? '' : `, ${edit.bytes} bytes`}
          </State>
        </Section>
      )}
      {isNew ? null : (
        <>
          <Section title="Runs in" aside={<RunsState runs={runs} />}>
            {runs.total === 0 ? (
              <p class="muted">No service of a stagelet sees it.</p>
            ) : (
              <Consumers row={row} />
            )}
          </Section>
          {secret.version === 0 ? null : (
            <Section title="Value">
              <ReadValue key={secret.id} place={place} secretId={secret.id} />
            </Section>
          )}
          <Section title="Versions">
            <Versions secret={secret} place={place} noWrite={why} />
          </Section>
          <Section title="About">
            <Facts
              rows={[
                ['Type', secret.type === 'file' ? `file ${secret.file_path ?? ''}` : 'variable'],
                ['Owner', secret.source],
                ['Name', <code>{secret.name}</code>],
                ...secret.conditions
                  .filter(({ status }) => status === 'False')
                  .map(({ reason, message }) => [reason, message] as const),
              ]}
            />
          </Section>
          <Section title="Elsewhere">
            <CopyAs forms={formsOf(row, place)} />
          </Section>
        </>
      )}
    </Drawer>
  )
}
