// Why does this service have this value? All five ranks, who won, and what the value refers to.
import { useQueryState } from '../../session/team.ts'
import type { Secret, Service, Stagelet } from '../../../src/generated/rest-types.ts'
import { projects, secretsOf } from '../../live/collections.ts'
import { InlineKnown, WhenKnown } from '../../ui/when-known.tsx'
import { mapKnown, someOf, together } from '../../live/known.ts'
import { Choice, FilterBar } from '../../ui/fields/filter-bar.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { StateText } from '../../ui/state.tsx'
import { Ago } from '../../ui/time.tsx'
import { environmentSet, type LaidOut } from '../../../src/secrets/environment-set.ts'
import { winnersFor } from '../../../src/secrets/set-entry.ts'
import { layoutIn } from '../project/layout.ts'
import { entriesOf } from '../project/set-index.ts'
import { behindText, declaredRevision } from './declared.ts'
import { explainKey, type Reference, type Rank, type Why } from './precedence.ts'
import s from './stagelet.module.css'

interface Shown {
  readonly stagelet: Stagelet
  readonly service: Service
  /** The key; `key` is a property that Preact takes. */
  readonly asked: string
  readonly secrets: readonly Secret[]
}

const Version = ({
  rank,
  secrets,
}: {
  readonly rank: Rank
  readonly secrets: readonly Secret[]
}) => {
  const secret = secrets.find(({ id }) => id === rank.entry?.secretId)
  if (secret === undefined) return <span class="muted">no secret</span>
  return (
    <>
      v{secret.version}, {secret.type === 'file' ? 'file, ' : ''}
      {secret.updated_by === undefined ? '' : `by ${secret.updated_by}, `}
      <Ago at={secret.updated_at} />
    </>
  )
}

const RankRow = ({
  rank,
  secrets,
}: {
  readonly rank: Rank
  readonly secrets: readonly Secret[]
}) => (
  <li class={rank.won ? s['won'] : ''}>
    <span class={s['rank']}>{rank.number}</span>
    <span class={rank.entry === undefined ? 'muted' : ''}>{rank.place}</span>
    <span>
      {rank.won ? <StateText kind="ok">Wins</StateText> : null}{' '}
      <Version rank={rank} secrets={secrets} />
      {rank.losesTo === undefined ? '' : `, loses to rank ${rank.losesTo}`}
    </span>
  </li>
)

const ComposeRow = ({ composeSets, composeWins, ranks }: Why) => (
  <li class={composeWins ? s['won'] : ''}>
    <span class={s['rank']}>{ranks.length + 1}</span>
    <span class={composeSets ? '' : 'muted'}>Compose file or env file</span>
    <span>
      {composeWins ? (
        <StateText kind="ok">Wins</StateText>
      ) : composeSets ? (
        'also sets it: the secret of the same key wins'
      ) : (
        <span class="muted">does not set it</span>
      )}
    </span>
  </li>
)

const Chain = ({ reference }: { readonly reference: Reference }) => (
  <ul class={s['chain']}>
    {reference.refersTo.map((key) => (
      <li key={key.entry.secretId}>
        <code>{key.entry.key}</code>{' '}
        <span class="muted">
          {key.entry.stagelet ?? key.entry.environments?.join(', ') ?? 'project'} ·{' '}
          {key.entry.scope}, v{key.entry.version}
        </span>
        {key.refersTo.length === 0 ? null : <Chain reference={key} />}
      </li>
    ))}
  </ul>
)

/** What the container runs is a measurement; what wins is what it should run. */
const Runs = ({ stagelet, service }: Pick<Shown, 'stagelet' | 'service'>) => {
  const { in_sync: inSync } = service
  if (inSync === undefined)
    return <StateText kind="unknown">It is not known what {service.name} runs now.</StateText>
  return inSync ? (
    <StateText kind="ok">{service.name} runs this value.</StateText>
  ) : (
    <InlineKnown value={declaredRevision(stagelet)}>
      {(declared) => (
        <StateText kind="wait">{behindText(service, declared, stagelet.wanted_revision)}</StateText>
      )}
    </InlineKnown>
  )
}

const setOf = (stagelet: Stagelet, secrets: readonly Secret[]): LaidOut => ({
  entries: entriesOf(secrets),
  layout: layoutIn(stagelet, someOf(projects.list.value), [stagelet]),
})

const Answer = ({ stagelet, service, asked: key, secrets }: Shown) => {
  const why = explainKey(setOf(stagelet, secrets), {
    service: service.name,
    stagelet: stagelet.name,
    key,
    composeKeys: service.compose_keys ?? [],
  })
  return (
    <>
      <Panel
        flush
        title={`Why does ${service.name} have ${key}?`}
        aside={<Runs stagelet={stagelet} service={service} />}
      >
        <ol class={s['ranks']} aria-label="Ranks of precedence, the highest first">
          {why.ranks.map((rank) => (
            <RankRow key={rank.number} rank={rank} secrets={secrets} />
          ))}
          <ComposeRow {...why} />
        </ol>
      </Panel>
      {why.broken === undefined ? null : (
        <Panel title="References">
          <StateText kind="fail">{why.broken}</StateText>
        </Panel>
      )}
      {why.chain === undefined || why.chain.refersTo.length === 0 ? null : (
        <Panel title={`${key} refers to`}>
          <Chain reference={why.chain} />
        </Panel>
      )}
    </>
  )
}

/** Keys that the service sees, and those that only its Compose file sets. */
const keysOf = (stagelet: Stagelet, service: Service, secrets: readonly Secret[]): string[] => {
  const set = environmentSet(setOf(stagelet, secrets), stagelet.name)
  const winners = winnersFor(service.name, stagelet.name, set)
  return [...new Set([...winners.keys(), ...(service.compose_keys ?? [])])].sort()
}

export const WhyTab = ({ stagelet }: { readonly stagelet: Stagelet }) => {
  const [askedService, setService] = useQueryState('service')
  const [askedKey, setKey] = useQueryState('key')
  const secrets = secretsOf(stagelet.team, stagelet.project)
  const all = secrets.list.value
  const { services } = stagelet
  const service = services.find(({ name }) => name === askedService) ?? services[0]
  if (service === undefined) return <Empty title="The agent has not reported its services yet" />
  const keys = keysOf(stagelet, service, someOf(all))
  const key = askedKey ?? keys[0]
  // Who wins is known once all secrets are.
  const answered = mapKnown(together(all), ([secrets]) =>
    key === undefined ? undefined : { asked: key, secrets },
  )
  return (
    <>
      <FilterBar label="Key of a service">
        <Choice
          label="service"
          value={service.name}
          options={services.map(({ name }) => name)}
          onChoose={setService}
        />
        <Choice
          label="key"
          value={key ?? ''}
          options={key === undefined || keys.includes(key) ? keys : [key, ...keys]}
          onChoose={setKey}
        />
      </FilterBar>
      <WhenKnown value={answered} none={<Empty title={`${service.name} has no secrets`} />}>
        {(asked) => <Answer stagelet={stagelet} service={service} {...asked} />}
      </WhenKnown>
    </>
  )
}
