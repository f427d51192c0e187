// The last thing that the agent did: how it went, the service to blame, whose change it was, and the last masked
// lines of that service.
import { mapKnown, partOf } from '../../live/known.ts'
import { whyNot } from '../../session/session.ts'
import { withQuery } from '../../session/team.ts'
import type { Stagelet } from '../../../src/generated/rest-types.ts'
import { LinkButton } from '../../ui/button.tsx'
import { FactList } from '../../ui/dialogs/drawer.tsx'
import { stageletUrl } from '../../ui/text/links.ts'
import { Panel } from '../../ui/page.tsx'
import { StateText } from '../../ui/state.tsx'
import { messageText } from '../../ui/text/message.ts'
import { Since } from '../../ui/time.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { readLines } from '../logs/read.ts'
import { LogText } from '../logs/text.tsx'
import { useRevisions } from '../revisions/data.ts'
import { KeyLinks } from '../revisions/kept.tsx'
import { causeWords, resultWords, revisionText, tookText } from '../revisions/words.ts'
import { lastFailed } from './sentence.ts'
import s from './stagelet.module.css'

const tail = 20

interface Props {
  readonly stagelet: Stagelet
  readonly service: string
}

const LastLines = ({ stagelet, service }: Props) => {
  const lines = useQuery({
    key: ['last lines', stagelet.id, service],
    refetchOn: stagelet.last_rollout?.finished_at ?? '',
    exact: true,
    read: async (signal) => {
      const read = await readLines(stagelet.id, { tail, service }, signal)
      return read.map(({ text }) => text)
    },
  })
  return (
    <WhenKnown value={lines} none={<p class="muted">The container of {service} wrote no line.</p>}>
      {(all) => <Lines service={service} lines={all} />}
    </WhenKnown>
  )
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
}: Pick<Props, 'service'> & { readonly lines: readonly string[] }) => (
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

const Blame = ({ stagelet, service }: Props) => {
  const { cause, message = '', revision: last } = stagelet.last_rollout ?? {}
  const quarantined = lastFailed(stagelet, service)
  // The rollout itself may be the way back to an earlier one.
  const failed = quarantined?.revision ?? last
  const revisions = useRevisions(`${stagelet.team}/${stagelet.project}`, failed)
  // Without it, the rest of the panel holds.
  const revision = partOf(mapKnown(revisions, (all) => all.find((one) => one.revision === failed)))
  const serviceKeys = stagelet.services.find(({ name }) => name === service)?.keys ?? []
  const keys = quarantined?.keys ?? revision?.keys.filter((key) => serviceKeys.includes(key)) ?? []
  const refused = whyNot('get', 'stagelets/logs', stagelet.team)
  const { reason, lines } = partsOf(message)
  const declared = cause === 'NewRevision' ? revision : undefined
  const changed =
    declared &&
    ([
      ['Changed', `${revisionText(failed)} by ${declared.by.join(', ')}`],
      [
        quarantined?.keys === undefined ? 'Keys of the service' : 'Changed keys',
        keys.length === 0 ? (
          'none of that revision'
        ) : (
          <KeyLinks stagelet={stagelet} service={service} keys={keys} />
        ),
      ],
    ] as const)
  return (
    <>
      <FactList
        rows={[
          ['Failed service', <b>{service}</b>],
          ['Error', messageText(reason)],
          ...(changed ?? []),
        ]}
      />
      <h3 class={s['linesTitle']}>
        Last masked lines of {service}
        <LinkButton href={withQuery(stageletUrl(stagelet), { tab: 'logs', service })}>
          Live logs
        </LinkButton>
      </h3>
      {lines.length > 0 ? (
        <Lines service={service} lines={lines} />
      ) : refused === undefined ? (
        <LastLines stagelet={stagelet} service={service} />
      ) : (
        <p class="muted">{refused}</p>
      )}
    </>
  )
}

export const LastRollout = ({ stagelet }: Pick<Props, 'stagelet'>) => {
  const rollout = stagelet.last_rollout
  if (rollout === undefined) return null
  const { recreated = [], cascaded = [], cause, service } = rollout
  const [kind, word] = resultWords[rollout.result]
  const took = tookText(rollout)
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
          {took === undefined ? '' : ` after ${took}`}
          {cause === undefined ? '' : `, because of ${causeWords[cause]}`}
        </p>
        <FactList
          rows={[
            ['Re-created', recreated.join(', ') || 'none'],
            ['Re-created with them', cascaded.join(', ') || 'none'],
          ]}
        />
        {service === undefined ? null : <Blame stagelet={stagelet} service={service} />}
      </div>
    </Panel>
  )
}
