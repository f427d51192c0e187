// Stores elsewhere: whether what was read from them is fresh, how much they are asked, and what is wrong.
import type { Store } from '../../../src/rest/types.ts'
import { api, must } from '../../api/client.ts'
import { whyNot } from '../../app/session.ts'
import { useTeam } from '../../app/team.ts'
import { askStoreDoing } from '../../copy-as/machines.ts'
import { now } from '../../live/clock.ts'
import { allStores } from '../../live/collections.ts'
import { useAction } from '../../ui/action.ts'
import { Button } from '../../ui/button.tsx'
import { projectUrl } from '../../ui/text/links.ts'
import { InlineKnown, WhenKnown } from '../../ui/when-known.tsx'
import { Empty, PageFrame, Panel } from '../../ui/page.tsx'
import { messageText } from '../../ui/text/message.ts'
import { mapKnown, ofTeam, partOf } from '../../live/known.ts'
import { State } from '../../ui/state.tsx'
import { Table, type TableColumn } from '../../ui/table.tsx'
import { Ago, lengthOf, Until } from '../../ui/time.tsx'
import { comingLook } from '../../../src/rest/coming-look.ts'
import { callsOf, isBraked, isRefused, stateOf, whatIs } from './data.ts'
import s from './stores.module.css'

const asks = {
  refresh: ['Refresh', 'It is looked at now.'],
  check: ['Check the credential', 'It is asked whether it takes the credential.'],
  resume: ['Resume', 'What is missing is removed.'],
} as const

const Ask = ({ store, verb }: { readonly store: Store; readonly verb: keyof typeof asks }) => {
  const { busy, run } = useAction()
  const [text, done] = asks[verb]
  const { id, name, team } = store
  const ask = async (): Promise<void> => {
    const params = { path: { store_id: id } }
    const request = () =>
      verb === 'refresh'
        ? must(api.POST('/stores/{store_id}/refresh', { params, body: {} }))
        : verb === 'check'
          ? must(api.POST('/stores/{store_id}/check', { params }))
          : must(api.POST('/stores/{store_id}/resume', { params }))
    await run(request, done, askStoreDoing(store, verb))
  }
  return (
    <Button
      small
      busy={busy}
      label={`${text}: ${name}`}
      whyNot={whyNot('update', 'secretstores', team)}
      onPress={() => void ask()}
    >
      {text}
    </Button>
  )
}

const Freshness = ({ store }: { readonly store: Store }) => {
  const { kind, word, faults } = stateOf(store)
  return (
    <>
      <State kind={kind}>{word}</State>
      {faults.map((text) => (
        <small class={s['fault']}>{messageText(text)}</small>
      ))}
    </>
  )
}

const Looks = ({ store }: { readonly store: Store }) => {
  const { last_look_at: last, lag_seconds: lag = 0 } = store
  const next = comingLook(store, now())
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
        {lag === 0 ? null : `answers may be ${lengthOf(lag * 1000)} old`}
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
          {store.team} · {whatIs(store)}
        </small>
      </>
    ),
  },
  { title: 'State', render: (store) => <Freshness store={store} /> },
  {
    title: 'Looked at',
    render: (store) => <Looks store={store} />,
  },
  {
    title: 'Calls a minute',
    wide: true,
    render: (store) => <span class={`num ${s['together']}`}>{callsOf(store)}</span>,
  },
  {
    title: 'Gives',
    render: ({ secrets, allow, team }) => (
      <>
        <span class={`num ${s['together']}`}>
          {secrets} {secrets === 1 ? 'secret' : 'secrets'}
        </span>
        <small>
          {allow === undefined
            ? 'allows nobody anything'
            : allow.projects.map((name, i) => (
                <>
                  {i === 0 ? 'to ' : ', '}
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
      <span class={s['actions']}>
        {isBraked(store) ? <Ask verb="resume" store={store} /> : null}
        {isRefused(store) ? <Ask verb="check" store={store} /> : null}
        <Ask verb="refresh" store={store} />
      </span>
    ),
  },
]

export const Page = () => {
  const stores = ofTeam(allStores().known.value, useTeam())
  const count = mapKnown(stores, (all) => ({
    all: all.length,
    failing: all.filter((one) => stateOf(one).kind === 'fail').length,
  }))
  const failing = partOf(count)?.failing ?? 0
  return (
    <PageFrame
      windowTitle={`${failing > 0 ? `▲ ${failing} ` : ''}Stores`}
      title="Stores"
      state={
        <InlineKnown of={count}>
          {({ all }) =>
            failing > 0 ? (
              <State kind="fail">
                {failing} {failing === 1 ? 'needs' : 'need'} you
              </State>
            ) : (
              <span class="muted num">{all}</span>
            )
          }
        </InlineKnown>
      }
    >
      <WhenKnown of={stores}>
        {(rows) => (
          <Panel flush={rows.length > 0}>
            {rows.length > 0 ? (
              <Table label="Stores" stacks rows={rows} idOf={({ id }) => id} columns={columns} />
            ) : (
              <Empty title="No store elsewhere is read">
                A <code>Store</code> names AWS, Vault, 1Password or another one, and says which
                projects may read what through it. A secret takes its value from there:{' '}
                <code>valueFrom.external</code>. What was read goes on being served when the store
                is away.
              </Empty>
            )}
          </Panel>
        )}
      </WhenKnown>
    </PageFrame>
  )
}
