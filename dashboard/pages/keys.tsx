// Keys: how old they are, what is still to be sealed anew, and their rotation.
import { useEffect, useState } from 'preact/hooks'
import { api, must } from '../api/client.ts'
import type { Keys } from '../../src/rest/types.ts'
import { now, beatEvery } from '../live/clock.ts'
import { partOf } from '../live/known.ts'
import { Button } from '../ui/button.tsx'
import { Facts } from '../ui/drawer.tsx'
import { WhenKnown } from '../ui/when-known.tsx'
import { messageText } from '../ui/text/message.ts'
import { Empty, PageFrame, Panel } from '../ui/page.tsx'
import { State } from '../ui/state.tsx'
import { Table } from '../ui/table.tsx'
import { Ago, Since } from '../ui/time.tsx'
import { useQuery } from '../ui/use-query.ts'
import { RotateKeys, type Kind } from './settings/rotate-keys.tsx'

/** Asked every two seconds while a rotation runs, and every minute else. */
const useKeys = () => {
  const [isRunning, setRunning] = useState(false)
  const tick = beatEvery(isRunning ? 2 : 60).value
  const keys = useQuery<Keys>({
    key: ['keys'],
    stamp: tick,
    read: (signal) => must(api.GET('/keys', { signal })),
  })
  const runs = partOf(keys)?.rotations.some(({ state }) => state === 'Running') === true
  useEffect(() => {
    setRunning(runs)
  }, [runs])
  return keys
}

const Due = ({ at }: { readonly at: string | undefined }) => {
  if (at === undefined) return <span class="muted">not known</span>
  return Date.parse(at) < now() ? (
    <State kind="warn">
      due since <Since at={at} />
    </State>
  ) : (
    <State kind="ok">
      due <Since at={at} />
    </State>
  )
}

const Ages = ({ keys }: { readonly keys: Keys }) => {
  const rows = [
    {
      name: 'Master key',
      what: `${keys.provider}, ${keys.key_id}`,
      since: keys.master_key_since,
      due: keys.master_key_due,
    },
    {
      name: 'Oldest data key',
      what: `of ${keys.data_keys}`,
      since: keys.oldest_data_key,
      due: keys.oldest_data_key_due,
    },
    {
      name: 'Sealing key',
      what: 'of stagely seal',
      since: keys.sealing_key_since,
      due: keys.sealing_key_due,
    },
    ...keys.project_keys.map((one) => ({
      name: one.name,
      what: `${one.provider}, ${one.projects} projects${one.ok ? '' : `: does not answer, ${messageText(one.message)}`}`,
      since: one.since,
      due: one.due,
    })),
  ]
  return (
    <Table
      label="Keys"
      rows={rows}
      idOf={({ name }) => name}
      columns={[
        {
          title: 'Key',
          head: true,
          render: ({ name, what }) => (
            <>
              {name}
              <small>{what}</small>
            </>
          ),
        },
        { title: 'Since', render: ({ since }) => <Since at={since} /> },
        { title: 'Rotation', render: ({ due }) => <Due at={due} /> },
      ]}
    />
  )
}

const states = { Running: 'run', Succeeded: 'ok', Failed: 'fail' } as const

const Rotations = ({ rotations }: Pick<Keys, 'rotations'>) =>
  rotations.length === 0 ? (
    <Empty title="No key was rotated yet." />
  ) : (
    <Table
      label="Rotations, newest first"
      rows={rotations}
      idOf={({ id }) => id}
      columns={[
        {
          title: 'State',
          head: true,
          render: ({ state }) => <State kind={states[state]}>{state}</State>,
        },
        { title: 'Of', render: ({ kind }) => (kind === 'data' ? 'data keys' : 'master key') },
        {
          title: 'Done',
          render: ({ done, message }) => (
            <>
              <span class="num">{done}</span>
              {message === '' ? null : <small>{messageText(message)}</small>}
            </>
          ),
        },
        {
          title: 'Began',
          render: ({ started_at: at, started_by: by }) => (
            <>
              <Ago at={at} />
              <small>{by}</small>
            </>
          ),
        },
        { title: 'Ended', wide: true, render: ({ finished_at: at }) => <Since at={at} /> },
      ]}
    />
  )

export const Page = () => {
  const known = useKeys()
  const keys = partOf(known)
  const [asked, setAsked] = useState<Kind | undefined>()
  const ask = (kind: Kind) => (): void => setAsked(kind)
  const isRunning = keys?.rotations.some(({ state }) => state === 'Running') === true
  return (
    <PageFrame
      windowTitle={`${isRunning ? '◐ ' : keys?.rotation_due === true ? '! ' : ''}Keys`}
      title="Keys"
      state={
        isRunning ? (
          <State kind="run">Rotating</State>
        ) : keys === undefined ? null : keys.rotation_due ? (
          <State kind="warn">Rotation is due</State>
        ) : (
          <State kind="ok">None is due</State>
        )
      }
      actions={
        <>
          <Button command="rotate:master" onPress={ask('master')}>
            Wrap anew…
          </Button>
          <Button command="rotate:data" look="primary" onPress={ask('data')}>
            Rotate data keys…
          </Button>
        </>
      }
    >
      <WhenKnown of={known}>
        {(shown) => (
          <>
            <Panel flush title="Age">
              <Ages keys={shown} />
            </Panel>
            <Panel title="What they protect">
              <Facts
                rows={[
                  [
                    'To be resealed',
                    `${shown.sealed_by_old_keys} versions are sealed by an old key`,
                  ],
                  ...shown.wrapped.map(
                    ({ by, count }) => ['Wrapped', `${count} keys by ${by}`] as const,
                  ),
                  ['Due after', `${shown.rotation_days} days`],
                ]}
              />
            </Panel>
            <Panel flush title="Rotations">
              <Rotations rotations={shown.rotations} />
            </Panel>
          </>
        )}
      </WhenKnown>
      {asked === undefined ? null : (
        <RotateKeys
          kind={asked}
          onDone={() => {
            setAsked(undefined)
            void known.again()
          }}
          onClose={() => setAsked(undefined)}
        />
      )}
    </PageFrame>
  )
}
