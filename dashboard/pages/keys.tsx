// Encryption keys: their age, what is still encrypted with an old one, and their rotation.
import { useEffect, useState } from 'preact/hooks'
import { api, must } from '../api/client.ts'
import type { Keys } from '../../src/generated/rest-types.ts'
import { now } from '../api/clock.ts'
import { partOf } from '../live/known.ts'
import { Button } from '../ui/button.tsx'
import { FactList } from '../ui/dialogs/drawer.tsx'
import { WhenKnown } from '../ui/when-known.tsx'
import { messageText } from '../ui/text/message.ts'
import { Empty, PageFrame, Panel } from '../ui/page.tsx'
import { StateText } from '../ui/state.tsx'
import { DataTable } from '../ui/table.tsx'
import { Ago, Since } from '../ui/time.tsx'
import { useQuery } from '../ui/use-query.ts'
import { RotateKeys, type RotatedKeys } from './settings/rotate-keys.tsx'

const isRunning = (keys: Keys | undefined): boolean =>
  keys?.rotations.some(({ state }) => state === 'Running') === true

/** Read every two seconds while a rotation runs, and every minute otherwise. */
const useKeys = () => {
  const [runs, setRuns] = useState(false)
  const keys = useQuery<Keys>({
    key: ['keys'],
    pollSeconds: runs ? 2 : 60,
    read: (signal) => must(api.GET('/keys', { signal })),
  })
  const runsNow = isRunning(partOf(keys))
  useEffect(() => {
    setRuns(runsNow)
  }, [runsNow])
  return keys
}

const Due = ({ at }: { readonly at: string | undefined }) => {
  if (at === undefined) return <span class="muted">not known</span>
  return Date.parse(at) < now() ? (
    <StateText kind="warn">
      overdue since <Since at={at} />
    </StateText>
  ) : (
    <StateText kind="ok">
      due <Since at={at} />
    </StateText>
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
      name: 'Data keys',
      what: `the oldest of ${keys.data_keys}`,
      since: keys.oldest_data_key,
      due: keys.oldest_data_key_due,
    },
    {
      name: 'Sealing key',
      what: 'used by stagely seal',
      since: keys.sealing_key_since,
      due: keys.sealing_key_due,
    },
    ...keys.project_keys.map((key) => ({
      name: key.name,
      what: `${key.provider}, ${key.projects} projects${key.ok ? '' : `: does not answer, ${messageText(key.message)}`}`,
      since: key.since,
      due: key.due,
    })),
  ]
  return (
    <DataTable
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

const KeyRotations = ({ rotations }: Pick<Keys, 'rotations'>) =>
  rotations.length === 0 ? (
    <Empty title="No key rotations yet" />
  ) : (
    <DataTable
      label="Key rotations, newest first"
      rows={rotations}
      idOf={({ id }) => id}
      columns={[
        {
          title: 'State',
          head: true,
          render: ({ state }) => <StateText kind={states[state]}>{state}</StateText>,
        },
        { title: 'Keys', render: ({ kind }) => (kind === 'data' ? 'data keys' : 'master key') },
        {
          title: 'Progress',
          render: ({ done, message }) => (
            <>
              <span class="num">{done}</span>
              {message === '' ? null : <small>{messageText(message)}</small>}
            </>
          ),
        },
        {
          title: 'Started',
          render: ({ started_at: at, started_by: by }) => (
            <>
              <Ago at={at} />
              <small>{by}</small>
            </>
          ),
        },
        { title: 'Finished', wide: true, render: ({ finished_at: at }) => <Since at={at} /> },
      ]}
    />
  )

export const Page = () => {
  const query = useKeys()
  const keys = partOf(query)
  const [asked, setAsked] = useState<RotatedKeys | undefined>()
  const ask = (kind: RotatedKeys) => (): void => setAsked(kind)
  const runs = isRunning(keys)
  return (
    <PageFrame
      windowTitle={`${runs ? '◐ ' : keys?.rotation_due === true ? '! ' : ''}Keys`}
      title="Keys"
      state={
        runs ? (
          <StateText kind="run">Rotating</StateText>
        ) : keys === undefined ? null : keys.rotation_due ? (
          <StateText kind="warn">Rotation is due</StateText>
        ) : (
          <StateText kind="ok">No rotation due</StateText>
        )
      }
      actions={
        <>
          <Button command="rotate:master" onPress={ask('master')}>
            Re-wrap keys…
          </Button>
          <Button command="rotate:data" variant="primary" onPress={ask('data')}>
            Rotate data keys…
          </Button>
        </>
      }
    >
      <WhenKnown value={query}>
        {(shown) => (
          <>
            <Panel flush title="Keys">
              <Ages keys={shown} />
            </Panel>
            <Panel title="Encrypted data">
              <FactList
                rows={[
                  [
                    'Old keys',
                    `${shown.sealed_by_old_keys} versions are still encrypted with an old key`,
                  ],
                  ...shown.wrapped.map(
                    ({ by, count }) => ['Data keys', `${count} wrapped by ${by}`] as const,
                  ),
                  ['Rotation interval', `${shown.rotation_days} days`],
                ]}
              />
            </Panel>
            <Panel flush title="Key rotations">
              <KeyRotations rotations={shown.rotations} />
            </Panel>
          </>
        )}
      </WhenKnown>
      {asked === undefined ? null : (
        <RotateKeys
          kind={asked}
          onDone={() => {
            setAsked(undefined)
            void query.refetch()
          }}
          onClose={() => setAsked(undefined)}
        />
      )}
    </PageFrame>
  )
}
