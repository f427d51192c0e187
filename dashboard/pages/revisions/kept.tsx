// Rollouts that were: what each did, how long it took, how it ended, and which change failed.
import type { ComponentChild } from 'preact'
import { withQuery } from '../../session/team.ts'
import type { KeptRollout } from '../../../src/generated/rest-types.ts'
import { revisionUrl, stageletUrl } from '../../ui/text/links.ts'
import { messageText } from '../../ui/text/message.ts'
import { StateText } from '../../ui/state.tsx'
import { DataTable } from '../../ui/table.tsx'
import { Ago } from '../../ui/time.tsx'
import { stageWords, timeOf } from './propagation-words.ts'
import { causeWords, resultWords, tookText } from './words.ts'
import s from './revisions.module.css'

/** With how long it took, and each stage as it was measured. */
const When = ({ rollout }: { readonly rollout: KeptRollout }) => {
  const { times } = rollout
  const stages = times && (['told', 'started', 'healthy', 'proven'] as const)
  return (
    <>
      <Ago at={rollout.finished_at ?? rollout.started_at} />
      <small>
        took {tookText(rollout) ?? '–'}
        {stages === undefined ? '' : ': '}
        {stages
          ?.map((name) => `${stageWords[name][0].toLowerCase()} ${timeOf(times?.[`${name}_ms`])}`)
          .join(', ')}
      </small>
    </>
  )
}

const Touched = ({ rollout: { services } }: { readonly rollout: KeptRollout }) => {
  const namesOf = (...which: readonly string[]): string =>
    services
      .filter(({ what }) => which.includes(what))
      .map(({ name }) => name)
      .join(', ')
  const along = namesOf('cascaded', 'restarted')
  const untouched = services.filter(({ what }) => what === 'untouched').length
  return (
    <>
      {namesOf('recreated') || (along === '' ? 'no container' : '')}
      {along === '' ? null : <small>with them: {along}</small>}
      {untouched === 0 ? null : <small>{untouched} untouched</small>}
    </>
  )
}

interface KeysProps {
  readonly stagelet: { readonly team: string; readonly name: string }
  readonly service: string
  readonly keys: readonly string[]
}

/** Keys of a service, each with the way to why it has that value. */
export const KeyLinks = ({ stagelet, service, keys }: KeysProps) => (
  <>
    {keys.map((key) => (
      <>
        {' '}
        <a class="mono" href={withQuery(stageletUrl(stagelet), { tab: 'why', service, key })}>
          {key}
        </a>
      </>
    ))}
  </>
)

const Blame = ({ rollout }: { readonly rollout: KeptRollout }): ComponentChild => {
  const { blame, message, stagelet: name, team } = rollout
  return (
    <>
      {blame === undefined ? null : (
        <p>
          <b>{blame.service}</b>
          <KeyLinks stagelet={{ team, name }} {...blame} />
          {blame.authors.length === 0 ? null : (
            <span class="muted"> set by {blame.authors.join(', ')}</span>
          )}
        </p>
      )}
      {message === undefined ? null : (
        <details>
          <summary>Output</summary>
          <pre class={s['said']} tabIndex={0}>
            {messageText(message)}
          </pre>
        </details>
      )}
    </>
  )
}

interface Props {
  readonly rollouts: readonly KeptRollout[]
  /** Of many stagelets, so that each is named. */
  readonly all?: boolean
  readonly label: string
}

export const KeptRollouts = ({ rollouts, all = false, label }: Props) => (
  <DataTable
    label={label}
    stacks
    rows={rollouts}
    idOf={({ id }) => id}
    columns={[
      {
        title: 'Result',
        render: ({ result }) => {
          const [kind, word] = resultWords[result]
          return <StateText kind={kind}>{word}</StateText>
        },
      },
      {
        title: 'Rollout',
        head: true,
        render: ({ team, project, stagelet, revision }) => (
          <div class={s['named']}>
            {all ? (
              <a href={stageletUrl({ team, name: stagelet })}>{`${project}/${stagelet}`}</a>
            ) : null}{' '}
            <a href={revisionUrl({ team, name: project }, revision)}>{`r${revision}`}</a>
          </div>
        ),
      },
      { title: 'When', render: (rollout) => <When rollout={rollout} /> },
      {
        title: 'Cause',
        render: ({ cause, by }) => (
          <>
            {causeWords[cause]}
            {by.length === 0 ? null : <small>by {by.join(', ')}</small>}
          </>
        ),
      },
      { title: 'Containers', render: (rollout) => <Touched rollout={rollout} /> },
      { title: 'Blame', render: (rollout) => <Blame rollout={rollout} /> },
    ]}
  />
)
