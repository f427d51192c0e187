// The last thing that the agent did: how it went, the service to blame, whose change it was, and the last masked
// lines of that service.
import { useEffect, useState } from 'preact/hooks'
import { someOf } from '../../live/known.ts'
import { whyNot } from '../../session/session.ts'
import { withQuery } from '../../session/team.ts'
import type { Revision, Stagelet } from '../../../src/generated/rest-types.ts'
import { LinkButton } from '../../ui/button.tsx'
import { FactList } from '../../ui/dialogs/drawer.tsx'
import { stageletUrl } from '../../ui/text/links.ts'
import { Panel } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { messageText } from '../../ui/text/message.ts'
import { StateText } from '../../ui/state.tsx'
import { durationText, Since } from '../../ui/time.tsx'
import { useRevisions } from '../history/data.ts'
import { readLines } from '../logs/read.ts'
import { LogText } from '../logs/text.tsx'
import type { ShownLogLine } from '../logs/record.ts'
import { resultWords } from '../rollouts/rollout-words.ts'
import { lastFailed, revisionText } from './sentence.ts'
import s from './stagelet.module.css'

type Rollout = NonNullable<Stagelet['last_rollout']>

const causes = {
  NewRevision: 'a new revision',
  ComposeFile: 'an edit of the Compose file',
  Drift: 'containers that were changed by hand',
} as const

const tail = 20

interface BlameProps {
  readonly stagelet: Stagelet
  readonly rollout: Rollout
  /** The service. */
  readonly blamed: string
}

/** The revision's author and keys; undefined until they are read. Without them the rest of the panel holds. */
const useRevision = ({ team, project }: Stagelet, revision: number): Revision | undefined =>
  someOf(useRevisions(`${team}/${project}`, revision)).find(
    (candidate) => candidate.revision === revision,
  )

const LastLines = ({
  stagelet,
  service,
}: {
  readonly stagelet: Stagelet
  readonly service: string
}) => {
  const [lines, setLines] = useState<readonly ShownLogLine[]>()
  const [error, setError] = useState<unknown>()
  const at = stagelet.last_rollout?.finished_at
  useEffect(() => {
    const abort = new AbortController()
    readLines(stagelet.id, { tail, service }, abort.signal).then(setLines, (reason: unknown) => {
      if (!abort.signal.aborted) setError(reason)
    })
    return () => abort.abort()
  }, [stagelet.id, service, at])
  if (error !== undefined) return <ProblemBox error={error} />
  if (lines === undefined) return null
  if (lines.length === 0) return <p class="muted">The container of {service} wrote no line.</p>
  return <Lines service={service} lines={lines.map(({ text }) => text)} />
}

/** The agent sends the last masked lines of the container that failed along with the reason. */
const partsOf = (
  message: string,
): { readonly reason: string; readonly lines: readonly string[] } => {
  const [reason = '', lines] = message.split('\nlast log lines:\n', 2)
  return { reason, lines: lines?.split('\n') ?? [] }
}

const Lines = ({
  service,
  lines,
}: {
  readonly service: string
  readonly lines: readonly string[]
}) => (
  <pre
    class={s['lines']}
    tabIndex={0}
    aria-label={`Last ${lines.length} masked lines of ${service}`}
  >
    {lines.map((text, index) => (
      <div key={index}>
        <LogText text={text} />
      </div>
    ))}
  </pre>
)

/** The revision that failed; the rollout itself may be the way back to an earlier one. */
const failedRevision = (stagelet: Stagelet, rollout: Rollout): number =>
  lastFailed(stagelet, rollout.service)?.revision ?? rollout.revision

const Blame = ({ stagelet, rollout, blamed }: BlameProps) => {
  const failed = failedRevision(stagelet, rollout)
  const revision = useRevision(stagelet, failed)
  const serviceKeys = stagelet.services.find(({ name }) => name === blamed)?.keys ?? []
  const quarantined = stagelet.quarantine.find(
    (entry) => entry.service === blamed && entry.revision === failed,
  )?.keys
  const keys = quarantined ?? revision?.keys.filter((key) => serviceKeys.includes(key)) ?? []
  const refused = whyNot('get', 'stagelets/logs', stagelet.team)
  const { reason, lines } = partsOf(rollout.message ?? '')
  const declared = rollout.cause === 'NewRevision' ? revision : undefined
  return (
    <>
      <FactList
        rows={[
          ['Failed service', <b>{blamed}</b>],
          ['Error', messageText(reason)],
          ...(declared === undefined
            ? []
            : ([
                ['Changed', `${revisionText(failed)} by ${declared.by.join(', ')}`],
                [
                  quarantined === undefined ? 'Keys of the service' : 'Changed keys',
                  keys.length === 0
                    ? 'none of that revision'
                    : keys.map((key) => (
                        <a
                          class="mono"
                          href={withQuery(stageletUrl(stagelet), {
                            tab: 'why',
                            service: blamed,
                            key,
                          })}
                        >
                          {key}{' '}
                        </a>
                      )),
                ],
              ] as const)),
        ]}
      />
      <h3 class={s['linesTitle']}>
        Last masked lines of {blamed}
        <LinkButton href={withQuery(stageletUrl(stagelet), { tab: 'logs', service: blamed })}>
          Live logs
        </LinkButton>
      </h3>
      {lines.length > 0 ? (
        <Lines service={blamed} lines={lines} />
      ) : refused === undefined ? (
        <LastLines stagelet={stagelet} service={blamed} />
      ) : (
        <p class="muted">{refused}</p>
      )}
    </>
  )
}

const tookOf = ({ started_at: from, finished_at: to }: Rollout): string =>
  from === undefined || to === undefined
    ? ''
    : ` after ${durationText(Date.parse(to) - Date.parse(from))}`

export const LastRollout = ({ stagelet }: { readonly stagelet: Stagelet }) => {
  const rollout = stagelet.last_rollout
  if (rollout === undefined) return null
  const [kind, word] = resultWords[rollout.result]
  const list = (names: readonly string[] = []): string =>
    names.length === 0 ? 'none' : names.join(', ')
  return (
    <Panel
      title="Last rollout"
      aside={
        <span class="muted">
          <Since at={rollout.finished_at ?? rollout.started_at} />
        </span>
      }
    >
      <div class={s['rollout']}>
        <p>
          <StateText kind={kind}>{word}</StateText> {revisionText(rollout.revision)}
          {tookOf(rollout)}
          {rollout.cause === undefined ? '' : `, because of ${causes[rollout.cause]}`}
        </p>
        <FactList
          rows={[
            ['Re-created', list(rollout.recreated)],
            ['Re-created with them', list(rollout.cascaded)],
          ]}
        />
        {rollout.service === undefined ? null : (
          <Blame stagelet={stagelet} rollout={rollout} blamed={rollout.service} />
        )}
      </div>
    </Panel>
  )
}
