// One secret: where it is, who runs it, its versions, and what may be done.
import { useState } from 'preact/hooks'
import type { Secret } from '../../../src/generated/rest-types.ts'
import { editSecret, revealAction, type SecretEdit } from '../../actions/secrets.ts'
import { serviceState } from '../../live/states.ts'
import { unstage } from '../../staging/staging.ts'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { Drawer, FactList, Section } from '../../ui/dialogs/drawer.tsx'
import { projectUrl, stageletUrl } from '../../ui/text/links.ts'
import { placeName } from '../../ui/text/place-name.ts'
import { visibleText } from '../../ui/text/visible-text.ts'
import { messageText } from '../../ui/text/message.ts'
import { StateText } from '../../ui/state.tsx'
import { Since } from '../../ui/time.tsx'
import { RunsState, stagedWord } from './columns.tsx'
import type { ClassOf } from './classes.ts'
import { CompareValues, type Side } from './places/compare.tsx'
import { ManagedBy } from './edit/managed-by.tsx'
import {
  whyNotOwnedHere,
  type ProjectPlace,
  type ProjectSecrets,
  type SecretRow,
} from '../project/data.ts'
import { HintSection } from './filter/hint-list.tsx'
import { LastRead } from './last-read.tsx'
import { isStopped } from '../../../src/kinds/stagelet/stopped-service.ts'
import type { ServiceConsumer } from '../project/run-count.ts'
import { ReadValue } from './read-value.tsx'
import { ExpirySection } from './expiry.tsx'
import { valueManager, noWayBack } from './edit/value-from.ts'
import { Versions } from './versions.tsx'
import { FoundIn, WhereIsIt } from './where.tsx'
import l from './places/lenses.module.css'
import s from './page.module.css'

interface Props {
  readonly row: SecretRow
  readonly place: ProjectPlace
  readonly all: ProjectSecrets
  readonly classOf: ClassOf
  readonly noWrite: string | undefined
  readonly onEdit: () => void
  readonly onDelete: () => void
  readonly onClose: () => void
}

const mostShown = 30

/** Those first of which something is to be said. */
const weightOf = ({ isCurrent }: ServiceConsumer): number =>
  isCurrent === false ? 0 : isCurrent === undefined ? 1 : 2

const Consumers = ({ row, all, place }: Pick<Props, 'row' | 'all' | 'place'>) => {
  const consumers = all.matrix.consumersOf(row.secret).toSorted((a, b) => weightOf(a) - weightOf(b))
  const { team, project } = place
  const query = new URLSearchParams({ lens: 'across', q: `key:${row.secret.key}` })
  return (
    <ul class={s['consumers']}>
      {consumers.slice(0, mostShown).map((consumer) => (
        <ConsumerRow key={`${consumer.stagelet.name}/${consumer.service.name}`} {...consumer} />
      ))}
      {consumers.length <= mostShown ? null : (
        <li>
          <a href={`${projectUrl({ team, name: project })}?${query}`}>
            {consumers.length - mostShown} more, by stagelet
          </a>
        </li>
      )}
    </ul>
  )
}

const ConsumerRow = ({ stagelet, service, isCurrent }: ServiceConsumer) => (
  <li>
    <a href={stageletUrl(stagelet)}>
      {stagelet.name}/{service.name}
    </a>
    {isCurrent === undefined ? (
      <StateText kind="unknown">Unknown</StateText>
    ) : isCurrent ? (
      <span>
        <StateText kind="ok">runs it</StateText>{' '}
        <span class="muted">
          since <Since at={service.since} />
        </span>
      </span>
    ) : isStopped(service) ? (
      <StateText kind="fail">{serviceState(service, undefined).word}</StateText>
    ) : (
      <StateText kind="wait">
        Behind{service.revision === undefined ? '' : `, runs r${service.revision}`}
      </StateText>
    )}
  </li>
)

/** Where the key has the same value: told to those who may write, without anybody reading it. */
const SameValue = ({ row, classOf, place }: Pick<Props, 'row' | 'classOf' | 'place'>) => {
  const [other, setOther] = useState<Secret | undefined>()
  const found = classOf(row.id)
  if (found === undefined) return null
  const { letter, same, others } = found
  return (
    <>
      <p>
        <span class={l['letter']}>{letter}</span>{' '}
        {same.length === 0
          ? 'no other secret of this key has this value'
          : `the same value as ${same.map(placeName).join(', ')}`}
      </p>
      {others.length === 0 ? null : (
        <ul class={s['consumers']} aria-label="Other values of this key">
          {others.slice(0, mostShown).map((secret) => (
            <li key={secret.id}>
              <span>
                <span class={l['letter']}>{classOf(secret.id)?.letter}</span> {placeName(secret)}
              </span>
              <Button
                small
                variant="quiet"
                label={`Compare with ${placeName(secret)}`}
                onPress={() => setOther(secret)}
              >
                Compare
              </Button>
            </li>
          ))}
        </ul>
      )}
      {other === undefined ? null : (
        <CompareValues
          title={`${row.secret.key}: ${placeName(row.secret)} and ${placeName(other)}`}
          place={place}
          sides={[sideOf(row.secret), sideOf(other)]}
          onClose={() => setOther(undefined)}
        />
      )}
    </>
  )
}

/** No secret: nobody is asked, and no audit row is written. */
const ShownValue = ({ value }: { readonly value: string }) => (
  <>
    <div class={s['reads']}>
      <CopyButton text={value} label="Copy the value" />
    </div>
    <pre class={s['value']} tabIndex={0} aria-label="The value">
      {visibleText(value)}
    </pre>
  </>
)

const sideOf = (secret: Secret): Side => ({ secretId: secret.id, name: placeName(secret) })

/** Of these it is news that they are true; of the others, that they are not. */
const dates: ReadonlySet<string> = new Set(['Expiring', 'Expired', 'RotationDue'])

const isNews = ({ type, status }: Secret['conditions'][number]): boolean =>
  status === (dates.has(type) ? 'True' : 'False')

const editOf = ({ secret }: SecretRow, op: 'update' | 'delete'): SecretEdit => ({
  op,
  name: secret.name,
  key: secret.key,
  scope: secret.scope,
  stagelet: secret.stagelet,
  environments: secret.environments,
  type: secret.type,
  file_path: secret.file_path,
  hasValue: op === 'update',
})

export const SecretDrawer = (props: Props) => {
  const { row, place, all, noWrite, onEdit, onDelete, onClose } = props
  const { secret, edit, runs } = row
  const why = noWrite ?? whyNotOwnedHere(secret)
  const isNew = secret.version === 0 && secret.name === ''
  const manager = valueManager(secret)
  return (
    <Drawer title={secret.key} under={placeName(secret)} onClose={onClose}>
      <div class={s['buttons']}>
        <Button variant="primary" whyNot={why} keys="e" onPress={onEdit}>
          {isNew ? 'Edit' : manager === undefined ? 'Replace value' : 'Move'}
        </Button>
        {edit === undefined ? (
          <Button variant="danger" whyNot={why} onPress={onDelete}>
            Delete
          </Button>
        ) : (
          <Button keys="z" onPress={() => unstage(place.team, place.project, edit.id)}>
            Unstage
          </Button>
        )}
      </div>
      <ManagedBy secret={secret} />
      {edit === undefined ? null : (
        <Section title="Staged">
          <StateText kind="staged">
            {stagedWord(row)}
            {edit.bytes === undefined ? '' : `, ${edit.bytes} bytes`}
          </StateText>
        </Section>
      )}
      {isNew ? null : (
        <>
          <Section title="Runs in" aside={<RunsState runs={runs} />}>
            {runs.total === 0 ? (
              <p class="muted">
                {secret.audience === 'Controller'
                  ? 'For the controller only: no service and no agent gets it.'
                  : 'No service uses it.'}
              </p>
            ) : (
              <Consumers row={row} all={all} place={place} />
            )}
          </Section>
          <HintSection place={place} all={all} row={row} why={why} />
          {secret.version === 0 ? null : (
            <Section title="Value">
              <SameValue {...props} />
              {secret.value === undefined ? (
                <>
                  <ReadValue key={secret.id} place={place} secret={secret} />
                  <LastRead place={place} name={secret.name} />
                </>
              ) : (
                <ShownValue value={secret.value} />
              )}
            </Section>
          )}
          {secret.version === 0 ? null : (
            <Section title="Where it lies">
              <FoundIn secret={secret} />
              <WhereIsIt key={secret.id} place={place} secretId={secret.id} />
            </Section>
          )}
          <ExpirySection secret={secret} place={place} why={why} />
          <Section title="Versions">
            <Versions secret={secret} place={place} noWrite={why ?? noWayBack(secret)} />
          </Section>
          <Section title="About">
            <FactList
              rows={[
                ['Type', secret.type === 'file' ? `file ${secret.file_path ?? ''}` : 'variable'],
                [
                  'Visibility',
                  secret.visibility === 'Plain'
                    ? 'plain: shown to everybody who sees the name'
                    : 'masked',
                ],
                ['Managed by', secret.source],
                ['Name', <code>{secret.name}</code>],
                ...secret.conditions
                  .filter(isNews)
                  .map(({ reason, message }) => [reason, messageText(message)] as const),
              ]}
            />
          </Section>
          <Section title="Copy as">
            {manager === undefined ? (
              <CopyAs action={editSecret(place, editOf(row, 'update'))} />
            ) : null}
            <CopyAs action={editSecret(place, editOf(row, 'delete'))} />
            {secret.version === 0 ? null : <CopyAs action={revealAction(place, secret)} />}
          </Section>
        </>
      )}
    </Drawer>
  )
}
