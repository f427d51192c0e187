// Past rollouts: what each did, how it ended, and which change failed.
import { withQuery } from '../../session/team.ts'
import type { KeptRollout } from '../../../src/generated/rest-types.ts'
import { revisionUrl, stageletUrl } from '../../ui/text/links.ts'
import { messageText } from '../../ui/text/message.ts'
import { StateText } from '../../ui/state.tsx'
import { Ago, durationText } from '../../ui/time.tsx'
import { resultWords } from './rollout-words.ts'
import s from './rollouts.module.css'

const causes = {
  NewRevision: 'new revision',
  ComposeFile: 'Compose file',
  Drift: 'healing',
} as const satisfies Record<KeptRollout['cause'], string>

/** `3.9 s` below a minute: rollouts are compared by it. */
const tookText = (from: string | undefined, to: string | undefined): string => {
  const ms = Date.parse(to ?? '') - Date.parse(from ?? '')
  if (Number.isNaN(ms)) return '–'
  return ms < 60_000 ? `${(Math.max(0, ms) / 1000).toFixed(1)} s` : durationText(ms)
}

const Touched = ({ rollout }: { readonly rollout: KeptRollout }) => {
  const touched = rollout.services.filter(({ what }) => what !== 'untouched')
  const untouched = rollout.services.length - touched.length
  return (
    <>
      {touched.length === 0 ? 'no container' : touched.map(({ name }) => name).join(', ')}
      {untouched === 0 ? null : <small>{untouched} untouched</small>}
    </>
  )
}

const Blame = ({ rollout }: { readonly rollout: KeptRollout }) => {
  const { blame, message, stagelet, team } = rollout
  const why = stageletUrl({ team, name: stagelet })
  return (
    <>
      {blame === undefined ? null : (
        <p>
          <b>{blame.service}</b>
          {blame.keys.map((key) => (
            <>
              {' '}
              <a class="mono" href={withQuery(why, { tab: 'why', service: blame.service, key })}>
                {key}
              </a>
            </>
          ))}
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

const Row = ({
  rollout,
  isNamed,
}: {
  readonly rollout: KeptRollout
  readonly isNamed: boolean
}) => {
  const { team, project, stagelet, revision, result, cause, by } = rollout
  const { started_at: from, finished_at: to } = rollout
  const [kind, word] = resultWords[result]
  return (
    <li class={s['kept']}>
      <StateText kind={kind}>{word}</StateText>
      <span>
        {isNamed ? (
          <>
            <a href={stageletUrl({ team, name: stagelet })}>{`${project}/${stagelet}`}</a>{' '}
          </>
        ) : null}
        <a href={revisionUrl({ team, name: project }, revision)}>{`r${revision}`}</a>
      </span>
      <span class={s['times']}>
        <Ago at={to ?? from} /> <small class="num">{tookText(from, to)}</small>
      </span>
      <span>
        {causes[cause]}
        {by.length === 0 ? null : <small>by {by.join(', ')}</small>}
      </span>
      <span>
        <Touched rollout={rollout} />
      </span>
      <div class={s['blame']}>
        <Blame rollout={rollout} />
      </div>
    </li>
  )
}

/** `all`: of many stagelets, so that each is named. */
export const KeptRollouts = ({
  rollouts,
  all = false,
  label,
}: {
  readonly rollouts: readonly KeptRollout[]
  readonly all?: boolean
  readonly label: string
}) => (
  <ul class={s['rows']} aria-label={label}>
    {rollouts.map((rollout) => (
      <Row key={rollout.id} rollout={rollout} isNamed={all} />
    ))}
  </ul>
)
