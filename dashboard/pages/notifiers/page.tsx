// Notifiers: who is notified of what, whether it arrives, and what does not.
import { useState } from 'preact/hooks'
import type { Notifier } from '../../../src/generated/rest-types.ts'
import { testNotifier } from '../../actions/agents.ts'
import { deleteObject } from '../../actions/kinds.ts'
import { whyNot } from '../../session/session.ts'
import { useTeam } from '../../session/team.ts'
import { allNotifiers } from '../../live/collections.ts'
import { inTeam } from '../../live/known.ts'
import { useAction, whyNotOwned } from '../../ui/action.ts'
import { toast } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmAction } from '../../ui/dialogs/confirm-action.tsx'
import { EditButton, NewButton } from '../../ui/form-buttons.tsx'
import { attention, ListPage } from '../../ui/list.tsx'
import { Empty } from '../../ui/page.tsx'
import { StateText } from '../../ui/state.tsx'
import { RowActions, type TableColumn } from '../../ui/table.tsx'
import { messageText } from '../../ui/text/message.ts'
import { Ago } from '../../ui/time.tsx'
import { notifierState, reasonWords, targetText } from './data.ts'
import s from './notifiers.module.css'

const TestButton = ({ notifier }: { readonly notifier: Notifier }) => {
  const { busy, run } = useAction()
  const { name, team } = notifier
  return (
    <Button
      small
      busy={busy}
      label={`Test ${name}`}
      whyNot={whyNot('update', 'notifiers', team)}
      onPress={() =>
        void run(testNotifier(notifier), ({ delivered, answer }) =>
          toast({ kind: delivered ? 'ok' : 'fail', text: `${name}: ${answer}` }),
        )
      }
    >
      Test
    </Button>
  )
}

const Delivery = ({ notifier }: { readonly notifier: Notifier }) => {
  const { kind, word, why } = notifierState(notifier)
  return (
    <>
      <StateText kind={kind}>{word}</StateText>
      {why === '' || kind === 'wait' ? null : <small class={s['why']}>{messageText(why)}</small>}
    </>
  )
}

const columnsOf = (onDelete: (notifier: Notifier) => void): readonly TableColumn<Notifier>[] => [
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
    title: 'Sends',
    render: (notifier) => (
      <>
        <span class={s['target']}>{targetText(notifier)}</span>
        <small>{notifier.reasons.map((reason) => reasonWords[reason] ?? reason).join('; ')}</small>
      </>
    ),
  },
  { title: 'State', render: (notifier) => <Delivery notifier={notifier} /> },
  { title: 'Last delivery', wide: true, render: ({ last_delivered_at: at }) => <Ago at={at} /> },
  {
    title: 'Actions',
    end: true,
    render: (notifier) => {
      const { name, team, source } = notifier
      return (
        <RowActions>
          <TestButton notifier={notifier} />
          <EditButton small kind="notifier" resource="notifiers" object={notifier} />
          <Button
            small
            variant="quiet"
            label={`Delete ${name}`}
            whyNot={whyNot('delete', 'notifiers', team) ?? whyNotOwned(source)}
            onPress={() => onDelete(notifier)}
          >
            Delete
          </Button>
        </RowActions>
      )
    },
  },
]

export const Page = () => {
  const team = useTeam()
  const [deleted, setDeleted] = useState<Notifier | undefined>()
  const close = (): void => setDeleted(undefined)
  return (
    <ListPage
      title="Notifiers"
      label="Notifiers"
      stacks
      rows={inTeam(allNotifiers().list.value, team)}
      idOf={({ id }) => id}
      columns={columnsOf(setDeleted)}
      summary={(all) =>
        attention(
          all.length,
          all.filter((notifier) => notifierState(notifier).kind === 'fail').length,
        )
      }
      actions={<NewButton kind="notifier" resource="notifiers" />}
      empty={
        <Empty title="No notifiers yet">
          A notifier sends a message to a webhook, to a chat (Slack, Discord, Teams, Telegram, ntfy)
          or by e-mail when something happens: a secret is about to expire, a change was rolled
          back, an agent is offline. A message never holds the value of a secret.
        </Empty>
      }
    >
      {deleted === undefined ? null : (
        <ConfirmAction
          danger
          title={`Delete ${deleted.name}?`}
          label={`Delete ${deleted.name}`}
          action={deleteObject('Notifier', deleted)}
          onDone={`${deleted.name} is deleted.`}
          onClose={close}
        >
          <p>It sends nothing any more. Messages that were not delivered yet are dropped.</p>
        </ConfirmAction>
      )}
    </ListPage>
  )
}
