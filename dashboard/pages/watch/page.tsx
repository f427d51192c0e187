// One revision: who made it and why, and the clock of each container that it re-creates. The clock ends by itself.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { useEffect, useState } from 'preact/hooks'
import { useRoute } from 'preact-iso'
import { api, must } from '../../api/client.ts'
import type { KeptRollout, Revision, Stagelet } from '../../../src/generated/rest-types.ts'
import { agents } from '../../live/collections.ts'
import { now } from '../../api/clock.ts'
import { mapKnown, partOf, someOf, together, type Known } from '../../live/known.ts'
import { appliedOf, type AppliedChange } from '../../staging/applied.ts'
import { announce } from '../../ui/announce.tsx'
import { LinkButton } from '../../ui/button.tsx'
import { projectUrl, stageletUrl } from '../../ui/text/links.ts'
import { messageText } from '../../ui/text/message.ts'
import { Empty, PageFrame, Panel } from '../../ui/page.tsx'
import { WhenKnown } from '../../ui/when-known.tsx'
import { StateText } from '../../ui/state.tsx'
import { visibleText } from '../../ui/text/visible-text.ts'
import { fineMomentOf, Since } from '../../ui/time.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { ReceiptButton } from '../history/receipt.tsx'
import {
  useProjectFound,
  useProjectPlace,
  useStagelets,
  type ProjectPlace,
} from '../project/data.ts'
import { healthyThen, lanesOf, untouchedOf, type Lane } from './lanes.ts'
import { Undo } from './undo.tsx'
import s from './watch.module.css'

const secondsOf = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** Redraws some times in a second while the clock runs. */
const useTicking = (isRunning: boolean): void => {
  const [, draw] = useState(0)
  useEffect(() => {
    if (!isRunning) return undefined
    const timer = setInterval(() => draw((count) => count + 1), 200)
    return () => clearInterval(timer)
  }, [isRunning])
}

/** Read anew with each new revision of the project: a page or a dialog that is open stays meanwhile. */
const useRevision = ({ team, project }: ProjectPlace, revision: number, head: number) =>
  useQuery({
    key: ['revision', team, project, revision],
    refetchOn: head,
    read: async (signal) => {
      const params = { path: { project_id: `${team}/${project}` }, query: { limit: 100 } }
      const { revisions } = await must(
        api.GET('/projects/{project_id}/revisions', { params, signal }),
      )
      return revisions.find((candidate) => candidate.revision === revision) ?? null
    },
  })

/** Read anew when the last rollout of a stagelet is another. */
const useRollouts = (
  { team, project }: ProjectPlace,
  revision: number,
  stagelets: readonly Stagelet[],
): Known<readonly KeptRollout[]> =>
  useQuery({
    key: ['rollouts of revision', team, project, revision],
    refetchOn: stagelets.map(({ id, last_rollout: rollout }) => [id, rollout?.started_at]),
    read: async (signal) => {
      const query = { team, project, revision }
      return (await must(api.GET('/rollouts', { params: { query }, signal }))).rollouts
    },
  })

const isOver = ({ kind }: Lane): boolean => !['run', 'wait'].includes(kind)

const Bar = ({ lane, scale }: { readonly lane: Lane; readonly scale: number }) => {
  const { delivered, started, healthy } = lane
  const end = healthy ?? scale
  const percent = (ms: number): string => `${Math.min(100, (ms / scale) * 100)}%`
  const begin = started ?? end
  return (
    <div class={s['track']} aria-hidden="true">
      <div class={s['told']} style={{ width: percent(begin) }} />
      {delivered === undefined ? null : (
        <div class={s['mark']} style={{ left: percent(delivered) }} />
      )}
      {started === undefined ? null : (
        <div
          class={`${s['starting']} ${s[lane.kind] ?? ''}`}
          style={{ left: percent(begin), width: `max(3px, ${percent(Math.max(0, end - begin))})` }}
        />
      )}
    </div>
  )
}

/** A moment on the clock: in seconds after the change was stored; the title has the whole moment. */
const At = ({ ms, from }: { readonly ms: number; readonly from: number }) => (
  <time dateTime={toFineTimestamp(from + ms)} title={fineMomentOf(from + ms)}>
    {secondsOf(ms)}
  </time>
)

const Times = ({ lane: { started, healthy }, from }: Pick<LaneProps, 'lane' | 'from'>) => (
  <small class="num muted">
    {started === undefined ? null : (
      <span>
        started <At ms={started} from={from} />
      </span>
    )}
    {healthy === undefined ? null : (
      <span>
        healthy <At ms={healthy} from={from} />
      </span>
    )}
  </small>
)

interface LaneProps {
  readonly lane: Lane
  readonly scale: number
  /** When the change was stored. */
  readonly from: number
}

const LaneRow = ({ lane, scale, from }: LaneProps) => (
  <li class={s['lane']}>
    <a href={stageletUrl(lane.stagelet)}>
      {lane.stagelet.name}/<b>{lane.service}</b>
    </a>
    <span class="muted">{lane.what}</span>
    <Bar lane={lane} scale={scale} />
    <span class={s['outcome']}>
      <StateText kind={lane.kind}>{lane.word}</StateText>
      <Times lane={lane} from={from} />
    </span>
  </li>
)

const summaryOf = (lanes: readonly Lane[]) => {
  const good = lanes.filter(({ kind }) => kind === 'ok')
  const failed = lanes.filter(({ kind }) => kind === 'fail')
  if (failed.length > 0)
    return { kind: 'fail', text: `${failed.length} of ${lanes.length} failed` } as const
  if (good.length === lanes.length) {
    const last = Math.max(...lanes.map(({ healthy }) => healthy ?? 0))
    const isPast = lanes.some(({ word }) => word === healthyThen)
    const [singular, plural] = isPast ? ['Was healthy', 'were healthy'] : ['In sync', 'in sync']
    const all = lanes.length === 1 ? singular : `All ${lanes.length} ${plural}`
    return { kind: 'ok', text: last === 0 ? all : `${all} after ${secondsOf(last)}` } as const
  }
  if (lanes.every(isOver))
    return { kind: 'wait', text: `${good.length} of ${lanes.length} in sync` } as const
  return { kind: 'run', text: `${good.length} of ${lanes.length} in sync` } as const
}

const glyphs = { ok: '● ', fail: '▲ ', wait: '◔ ', run: '◐ ' } as const

const Proof = ({
  applied,
  stagelets,
}: {
  readonly applied: AppliedChange
  readonly stagelets: readonly Stagelet[]
}) => {
  const { total, same } = untouchedOf(stagelets, applied)
  return (
    <>
      {total === 0 ? null : (
        <p class={s['proof']}>
          <StateText kind={same === total ? 'ok' : 'warn'}>
            {same} of {total} others untouched
          </StateText>
          <span class="muted">not restarted</span>
        </p>
      )}
      {applied.impact.held.map(({ stagelet, message }) => (
        <p key={stagelet} class={s['proof']}>
          <StateText kind="paused">{stagelet} held</StateText>
          <span class="muted">{messageText(message)}</span>
        </p>
      ))}
    </>
  )
}

const Lanes = ({
  lanes,
  elapsed,
  from,
}: {
  readonly lanes: readonly Lane[]
  readonly elapsed: number
  readonly from: number
}) => {
  const isRunning = lanes.some((lane) => !isOver(lane))
  const longest = Math.max(...lanes.map(({ healthy, started }) => healthy ?? started ?? 0))
  const scale = Math.max(1000, isRunning ? elapsed : longest * 1.05)
  return (
    <ul>
      <li class={`${s['lane']} ${s['axis']}`} aria-hidden="true">
        <span />
        <span />
        <span>
          <i>saved</i>
          <i class="num">{secondsOf(scale)}</i>
        </span>
      </li>
      {lanes.map((lane) => (
        <LaneRow
          key={`${lane.stagelet.name}/${lane.service}`}
          lane={lane}
          scale={scale}
          from={from}
        />
      ))}
    </ul>
  )
}

const About = ({ revision }: { readonly revision: Revision }) => (
  <p class="muted">
    {revision.by.join(', ')} · <Since at={revision.closed_at} /> · {revision.keys.join(', ')}
    {revision.note === undefined ? null : <> · “{visibleText(revision.note)}”</>}
  </p>
)

interface ActionsProps {
  readonly place: ProjectPlace
  readonly revision: number
  readonly isNewest: boolean
  /** The revision is known, so that there is a receipt. */
  readonly isKept: boolean
}

const Actions = ({ place, revision, isNewest, isKept }: ActionsProps) => (
  <>
    {isNewest && revision > 1 ? <Undo place={place} revision={revision} /> : null}
    {isKept ? <ReceiptButton {...place} revision={revision} /> : null}
    <LinkButton href={projectUrl({ team: place.team, name: place.project })}>
      Back to secrets
    </LinkButton>
  </>
)

export const Page = () => {
  const place = useProjectPlace()
  const { team, project } = place
  const revision = Number(useRoute().params['revision'])
  const found = partOf(useProjectFound(place))
  const stagelets = useStagelets(place)
  const asked = useRevision(place, revision, found?.revision ?? 0)
  const data = partOf(asked) ?? undefined
  const applied = appliedOf(team, project, revision)
  const from = data === undefined ? (applied?.at ?? now()) : Date.parse(data.closed_at)
  const keptRollouts = useRollouts(place, revision, someOf(stagelets))
  const world = together(stagelets, agents.list.value, keptRollouts)
  const lanes = mapKnown(world, ([all, machines, rollouts]) =>
    lanesOf(
      { stagelets: all, agents: machines, rollouts: rollouts },
      revision,
      { from, now: now() },
      applied,
    ),
  )
  const isRunning = someOf(lanes).some((lane) => !isOver(lane))
  useTicking(isRunning)
  const summary = someOf(lanes).length === 0 ? undefined : summaryOf(someOf(lanes))
  useEffect(() => {
    if (summary !== undefined && !isRunning)
      announce(`${project} revision ${revision}: ${summary.text}`)
  }, [isRunning, summary?.text])
  const elapsed = Math.max(0, now() - from)
  const url = projectUrl({ team, name: project })
  return (
    <PageFrame
      windowTitle={`${summary === undefined ? '' : glyphs[summary.kind]}${project} r${revision}`}
      title={`Revision ${revision}`}
      within={<a href={url}>{project}</a>}
      state={
        summary === undefined ? null : <StateText kind={summary.kind}>{summary.text}</StateText>
      }
      actions={
        <Actions
          place={place}
          revision={revision}
          isNewest={found?.revision === revision}
          isKept={data !== undefined}
        />
      }
    >
      <WhenKnown value={asked} rows={1} none={null}>
        {(about) => <About revision={about} />}
      </WhenKnown>
      <Panel
        title="Containers"
        flush
        aside={isRunning ? <span class="num">{secondsOf(elapsed)}</span> : null}
      >
        <WhenKnown
          value={lanes}
          none={
            <Empty title="No re-created containers">
              No service uses the changed secrets, or its rollouts are no longer kept.
            </Empty>
          }
        >
          {(all) => <Lanes lanes={all} elapsed={elapsed} from={from} />}
        </WhenKnown>
        {applied === undefined || stagelets.state !== 'known' ? null : (
          <Proof applied={applied} stagelets={stagelets.value} />
        )}
      </Panel>
    </PageFrame>
  )
}
