// Notifiers: who is told what, whether it arrives, and what does not.
import type { Notifier } from '../../../src/rest/types.ts'
import { useState } from 'preact/hooks'
import { api, must } from '../../api/client.ts'
import { knownTeams } from '../../app/known-teams.ts'
import { whyNot } from '../../app/session.ts'
import { useTeam } from '../../app/team.ts'
import { testNotifierDoing } from '../../copy-as/machines.ts'
import { deleteDoing } from '../../copy-as/spec.ts'
import { allNotifiers } from '../../live/collections.ts'
import { mapKnown, ofTeam, partOf } from '../../live/known.ts'
import { useAction, whyNotOwned } from '../../ui/action.ts'
import { toast } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { confirmed } from '../../ui/confirm-login.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { InlineKnown, WhenKnown } from '../../ui/when-known.tsx'
import { Empty, PageFrame, Panel } from '../../ui/page.tsx'
import { messageText } from '../../ui/text/message.ts'
import { State } from '../../ui/state.tsx'
import { Table } from '../../ui/table.tsx'
import { Ago } from '../../ui/time.tsx'
import { channelOf, channelWords, reasonWords, stateOf, targetOf } from './data.ts'
import { NotifierForm } from './form.tsx'
import s from './notifiers.module.css'

const Delete = ({
  notifier,
  onDone,
  onClose,
}: {
  readonly notifier: Notifier
  readonly onDone: () => void
  readonly onClose: () => void
}) => {
  const { busy, run } = useAction()
  const { id, name } = notifier
  const doing = deleteDoing({ ...notifier, kind: 'Notifier', path: 'notifiers' })
  const remove = async (): Promise<void> => {
    const params = { path: { notifier_id: id } }
    const request = () => must(api.DELETE('/notifiers/{notifier_id}', { params }))
    if (await run(() => confirmed(request), `${name} tells nobody any more.`, doing)) onDone()
  }
  return (
    <Confirm
      danger
      title={`Delete ${name}?`}
      action={`Delete ${name}`}
      busy={busy}
      onConfirm={() => void remove()}
      onClose={onClose}
    >
      <p>It tells nobody any more. What was not delivered yet is dropped.</p>
      <CopyAs doing={doing} />
    </Confirm>
  )
}

const Test = ({ notifier }: { readonly notifier: Notifier }) => {
  const { busy, run } = useAction()
  const { id, name, team } = notifier
  const test = async (): Promise<void> => {
    const path = { notifier_id: id }
    const { delivered, answer } = await must(
      api.POST('/notifiers/{notifier_id}/test', { params: { path } }),
    )
    toast({ kind: delivered ? 'ok' : 'fail', text: `${name}: ${answer}` })
  }
  return (
    <Button
      small
      busy={busy}
      label={`Test ${name}`}
      whyNot={whyNot('update', 'notifiers', team)}
      onPress={() => void run(test, undefined, testNotifierDoing(notifier))}
    >
      Test
    </Button>
  )
}

const Row = ({ notifier }: { readonly notifier: Notifier }) => {
  const { kind, word, why } = stateOf(notifier)
  return (
    <>
      <State kind={kind}>{word}</State>
      {why === '' || kind === 'wait' ? null : <small class={s['why']}>{messageText(why)}</small>}
    </>
  )
}

const NotifiersTable = ({
  rows,
  onEdit,
  onDelete,
}: {
  readonly rows: readonly Notifier[]
  readonly onEdit: (notifier: Notifier) => void
  readonly onDelete: (notifier: Notifier) => void
}) => (
  <Table
    label="Notifiers"
    stacks
    rows={rows}
    idOf={({ id }) => id}
    columns={[
      {
        title: 'Notifier',
        head: true,
        render: ({ name, team, projects }) => (
          <>
            {name}
            <small>
              {team}
              {projects === undefined ? '' : ` · only ${projects.join(', ')}`}
            </small>
          </>
        ),
      },
      {
        title: 'Tells',
        render: (one) => (
          <>
            <span class={s['target']}>
              {channelWords[channelOf(one)]}: {targetOf(one)}
            </span>
            <small>{one.reasons.map((reason) => reasonWords[reason] ?? reason).join('; ')}</small>
          </>
        ),
      },
      { title: 'State', render: (notifier) => <Row notifier={notifier} /> },
      {
        title: 'Delivered last',
        wide: true,
        render: ({ last_delivered_at: at }) => <Ago at={at} />,
      },
      {
        title: 'Actions',
        end: true,
        render: (notifier) => {
          const { name, team, source } = notifier
          return (
            <span class={s['actions']}>
              <Test notifier={notifier} />
              <Button
                small
                label={`Edit ${name}`}
                whyNot={whyNot('patch', 'notifiers', team) ?? whyNotOwned(source)}
                onPress={() => onEdit(notifier)}
              >
                Edit
              </Button>
              <Button
                small
                look="quiet"
                label={`Delete ${name}`}
                whyNot={whyNot('delete', 'notifiers', team) ?? whyNotOwned(source)}
                onPress={() => onDelete(notifier)}
              >
                Delete
              </Button>
            </span>
          )
        },
      },
    ]}
  />
)

type Asked = { readonly form: Notifier | undefined } | { readonly gone: Notifier }

export const Page = () => {
  const team = useTeam()
  const notifiers = ofTeam(allNotifiers().known.value, team)
  const [asked, setAsked] = useState<Asked | undefined>()
  const close = (): void => setAsked(undefined)
  const count = mapKnown(notifiers, (all) => ({
    all: all.length,
    failing: all.filter((one) => stateOf(one).kind === 'fail').length,
  }))
  const failing = partOf(count)?.failing ?? 0
  const teams = team === undefined ? knownTeams() : [team]
  const whyNotNew = teams.some((one) => whyNot('create', 'notifiers', one) === undefined)
    ? undefined
    : whyNot('create', 'notifiers', teams[0] ?? '')
  const make = (
    <Button
      command="new-notifier"
      look="primary"
      whyNot={whyNotNew}
      onPress={() => setAsked({ form: undefined })}
    >
      New notifier
    </Button>
  )
  return (
    <PageFrame
      windowTitle={`${failing > 0 ? `▲ ${failing} ` : ''}Notifiers`}
      title="Notifiers"
      state={
        <InlineKnown of={count}>
          {({ all }) =>
            failing > 0 ? (
              <State kind="fail">{failing} do not deliver</State>
            ) : (
              <span class="muted num">{all}</span>
            )
          }
        </InlineKnown>
      }
      actions={make}
    >
      <WhenKnown of={notifiers}>
        {(rows) => (
          <Panel flush={rows.length > 0}>
            {rows.length > 0 ? (
              <NotifiersTable
                rows={rows}
                onEdit={(form) => setAsked({ form })}
                onDelete={(gone) => setAsked({ gone })}
              />
            ) : (
              <Empty title="Nobody is told yet">
                A notifier tells people what happened, by a webhook, in Slack or by e-mail: a value
                near its end, a change that was taken back, a machine that is away. It never holds a
                value.
              </Empty>
            )}
          </Panel>
        )}
      </WhenKnown>
      {asked === undefined ? null : 'gone' in asked ? (
        <Delete notifier={asked.gone} onDone={close} onClose={close} />
      ) : (
        <NotifierForm edited={asked.form} onDone={close} onClose={close} />
      )}
    </PageFrame>
  )
}
