// What each container runs, since when, and what was measured of it.
import { useLocation } from 'preact-iso'
import { withQuery } from '../../session/team.ts'
import type { Service, Stagelet } from '../../../src/generated/rest-types.ts'
import { agents } from '../../live/collections.ts'
import { findIn, partOf } from '../../live/known.ts'
import { isTrouble } from '../../live/conditions.ts'
import { conditionOf, serviceState, stageletState } from '../../live/states.ts'
import { Empty, Panel } from '../../ui/page.tsx'
import { messageText } from '../../ui/text/message.ts'
import { StateText } from '../../ui/state.tsx'
import { DataTable, type TableColumn } from '../../ui/table.tsx'
import { Since } from '../../ui/time.tsx'
import { InlineKnown, WhenKnown } from '../../ui/when-known.tsx'
import { Conditions } from '../../ui/conditions.tsx'
import { declaredRevision, hiddenKeys } from './declared.ts'
import { LastRollout } from './last-rollout.tsx'
import { PrintedPanel } from './printed.tsx'
import { revisionText } from '../revisions/words.ts'
import s from './stagelet.module.css'

/** The last known state of a service whose state is not known now. */
const LastSeen = ({ service: { last_seen: lastUse } }: { readonly service: Service }) =>
  lastUse === undefined ? null : (
    <small>
      last seen {lastUse.state ?? 'unknown'}
      {lastUse.at === undefined ? null : (
        <>
          {' '}
          at <Since at={lastUse.at} />
        </>
      )}
    </small>
  )

const Keys = ({
  stagelet,
  service,
}: {
  readonly stagelet: Stagelet
  readonly service: Service
}) => {
  const { url } = useLocation()
  const { keys = [], name } = service
  if (keys.length === 0) return <span class="muted">none</span>
  return (
    <details class={s['keys']}>
      <summary>
        {keys.length} {keys.length === 1 ? 'key' : 'keys'}
      </summary>
      <ul>
        {keys.map((key) => (
          <li key={key}>
            <a
              class="mono"
              href={withQuery(url, { tab: 'why', service: name, key })}
              title={`Why does ${name} of ${stagelet.name} have ${key}?`}
            >
              {key}
            </a>
          </li>
        ))}
      </ul>
    </details>
  )
}

const columnsOf = (stagelet: Stagelet): readonly TableColumn<Service>[] => {
  const declared = declaredRevision(stagelet)
  const drifted = conditionOf(stagelet, 'Drifted')
  const isDrifted = (name: string): boolean =>
    drifted?.status === 'True' && drifted.message.split(/[^\w.-]+/).includes(name)
  return [
    { title: 'Service', head: true, render: ({ name }) => name },
    {
      title: 'State',
      render: (service) => {
        const { kind, word, why } = serviceState(service, partOf(declared))
        return (
          <>
            <StateText kind={kind} title={why === '' ? undefined : why}>
              {word}
            </StateText>
            <LastSeen service={service} />
          </>
        )
      },
    },
    {
      title: 'Running',
      render: ({ revision }) => <span class="num">{revisionText(revision)}</span>,
    },
    {
      title: 'Target',
      render: () => (
        <InlineKnown value={declared}>
          {(revision) => <span class="num">{revisionText(revision)}</span>}
        </InlineKnown>
      ),
    },
    { title: 'Health', wide: true, render: ({ health = '–' }) => health },
    { title: 'Since', wide: true, render: ({ since }) => <Since at={since} /> },
    {
      title: 'Restarts',
      wide: true,
      end: true,
      render: ({ restarts }) => restarts ?? <span class="muted">–</span>,
    },
    {
      title: 'Secrets',
      wide: true,
      render: (service) => <Keys stagelet={stagelet} service={service} />,
    },
    {
      title: 'Drift',
      wide: true,
      render: ({ name, state = 'unknown' }) =>
        state === 'unknown' ? (
          <span class="muted">not known</span>
        ) : isDrifted(name) ? (
          <StateText kind="drift" title={messageText(drifted?.message ?? '')}>
            drift
          </StateText>
        ) : (
          <span class="muted">none</span>
        ),
    },
  ]
}

/** What the sentence at the top says already, or is said of each service. */
const toldElsewhere = new Set(['Ready', 'SecretsInSync', 'AgentReachable'])

const Notices = ({ stagelet }: { readonly stagelet: Stagelet }) => {
  const troubles = stagelet.conditions.filter(
    (condition) => isTrouble(condition) && !toldElsewhere.has(condition.type),
  )
  const { why } = stageletState(stagelet)
  // The sentence at the top says a single line already.
  const isSaid = troubles.length === 1 && troubles[0]?.message === why && !why.includes('\n')
  const hidden = hiddenKeys(stagelet)
  return (
    <Conditions
      conditions={isSaid ? [] : troubles}
      more={hidden.map(({ service, keys }) => [
        <StateText kind="wait">Set twice</StateText>,
        <>
          The Compose file or an env file of {service} sets{' '}
          <span class="mono">{keys.join(', ')}</span> too: the secret wins, and an edit there
          changes nothing.
        </>,
      ])}
    />
  )
}

const NothingReported = ({ stagelet }: { readonly stagelet: Stagelet }) => {
  const agent = findIn(
    agents.list.value,
    ({ team, name }) => team === stagelet.team && name === stagelet.agent,
  )
  return (
    <Empty title="The agent has not reported yet">
      <WhenKnown
        value={agent}
        rows={1}
        none={`There is no agent ${stagelet.agent}, or you may not see it.`}
      >
        {(found) => {
          const ready = conditionOf(found, 'Ready')
          return `${found.name}: ${messageText(ready?.message ?? 'it has never connected')}`
        }}
      </WhenKnown>
    </Empty>
  )
}

export const ServicesTab = ({ stagelet }: { readonly stagelet: Stagelet }) => (
  <>
    <Panel flush title="Services">
      {stagelet.services.length === 0 ? (
        <NothingReported stagelet={stagelet} />
      ) : (
        <DataTable
          label="Services"
          columns={columnsOf(stagelet)}
          rows={stagelet.services}
          idOf={({ name }) => name}
        />
      )}
    </Panel>
    <Notices stagelet={stagelet} />
    <LastRollout stagelet={stagelet} />
    <PrintedPanel stagelet={stagelet} />
  </>
)
