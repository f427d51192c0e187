// External stores: whether what was read from them is fresh, how much they are asked, and what is wrong.
import type { Store } from '../../../src/generated/rest-types.ts'
import { nextSyncOf } from '../../../src/kinds/secret-store/next-sync.ts'
import { askStore, type StoreVerb } from '../../actions/agents.ts'
import { whyNot } from '../../session/session.ts'
import { useTeam } from '../../session/team.ts'
import { now } from '../../api/clock.ts'
import { allStores } from '../../live/collections.ts'
import { inTeam } from '../../live/known.ts'
import { useAction } from '../../ui/action.ts'
import { Button } from '../../ui/button.tsx'
import { EditButton, NewButton } from '../../ui/form-buttons.tsx'
import { attention, ListPage } from '../../ui/list.tsx'
import { Empty } from '../../ui/page.tsx'
import { StateText } from '../../ui/state.tsx'
import { RowActions, type TableColumn } from '../../ui/table.tsx'
import { projectUrl } from '../../ui/text/links.ts'
import { messageText } from '../../ui/text/message.ts'
import { Ago, durationText, Until } from '../../ui/time.tsx'
import { callsText, areDeletionsHeld, isRejected, providerText, storeState } from './data.ts'
import s from './stores.module.css'

const buttons: Readonly<Record<StoreVerb, readonly [text: string, done: string]>> = {
  refresh: ['Sync now', 'Sync started.'],
  check: ['Check credential', 'Credential check started.'],
  resume: ['Allow deletions', 'The missing secrets are removed.'],
}

const StoreButton = ({ store, verb }: { readonly store: Store; readonly verb: StoreVerb }) => {
  const { busy, run } = useAction()
  const [text, done] = buttons[verb]
  return (
    <Button
      small
      busy={busy}
      label={`${text}: ${store.name}`}
      whyNot={whyNot('update', 'secretstores', store.team)}
      onPress={() => void run(askStore(store, verb), done)}
    >
      {text}
    </Button>
  )
}

const Freshness = ({ store }: { readonly store: Store }) => {
  const { kind, word, faults } = storeState(store)
  return (
    <>
      <StateText kind={kind}>{word}</StateText>
      {faults.map((text) => (
        <small class={s['fault']}>{messageText(text)}</small>
      ))}
    </>
  )
}

const LastSync = ({ store }: { readonly store: Store }) => {
  const { last_look_at: last, lag_seconds: lag = 0 } = store
  const next = nextSyncOf(store, now())
  return (
    <>
      <Ago at={last} />
      <small>
        {next === undefined ? null : (
          <span class={s['together']}>
            next <Until at={next} />
            {lag === 0 ? '' : '; '}
          </span>
        )}
        {lag === 0 ? null : `values may be ${durationText(lag * 1000)} old`}
      </small>
    </>
  )
}

const columns: readonly TableColumn<Store>[] = [
  {
    title: 'Store',
    head: true,
    render: (store) => (
      <>
        {store.name}
        <small>
          {store.team} · {providerText(store)}
        </small>
      </>
    ),
  },
  { title: 'State', render: (store) => <Freshness store={store} /> },
  { title: 'Last sync', render: (store) => <LastSync store={store} /> },
  {
    title: 'API calls per minute',
    wide: true,
    render: (store) => <span class={`num ${s['together']}`}>{callsText(store)}</span>,
  },
  {
    title: 'Secrets',
    render: ({ secrets, allow, team }) => (
      <>
        <span class={`num ${s['together']}`}>
          {secrets} {secrets === 1 ? 'secret' : 'secrets'}
        </span>
        <small>
          {allow === undefined
            ? 'no project may read it'
            : allow.projects.map((name, i) => (
                <>
                  {i === 0 ? 'read by ' : ', '}
                  <a href={projectUrl({ team, name })}>{name}</a>
                </>
              ))}
        </small>
      </>
    ),
  },
  {
    title: 'Actions',
    end: true,
    render: (store) => (
      <RowActions>
        {areDeletionsHeld(store) ? <StoreButton verb="resume" store={store} /> : null}
        {isRejected(store) ? <StoreButton verb="check" store={store} /> : null}
        <StoreButton verb="refresh" store={store} />
        <EditButton small kind="store" resource="secretstores" object={store} />
      </RowActions>
    ),
  },
]

export const Page = () => (
  <ListPage
    title="Stores"
    label="Stores"
    stacks
    rows={inTeam(allStores().list.value, useTeam())}
    idOf={({ id }) => id}
    columns={columns}
    actions={<NewButton kind="store" resource="secretstores" />}
    summary={(all) =>
      attention(all.length, all.filter((store) => storeState(store).kind === 'fail').length)
    }
    empty={
      <Empty title="No external stores yet">
        A <code>SecretStore</code> connects AWS, Vault, 1Password or another store, and says which
        projects may read what from it. A secret takes its value from there by{' '}
        <code>valueFrom.external</code>. While the store cannot be reached, the values that were
        read last stay in use.
      </Empty>
    }
  />
)
