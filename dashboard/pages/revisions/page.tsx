// One revision: who made it and why, how far its rollout is, the clock of each container that it re-creates, which ends
// by itself, and what it changed. `newest` follows the project.
import { useEffect, useState } from 'preact/hooks'
import { useLocation, useRoute } from 'preact-iso'
import type { Revision } from '../../../src/generated/rest-types.ts'
import { agents } from '../../live/collections.ts'
import { now } from '../../api/clock.ts'
import { mapKnown, partOf, someOf, together, type Known } from '../../live/known.ts'
import { appliedOf, type AppliedChange } from '../../staging/applied.ts'
import { announce } from '../../ui/announce.tsx'
import { LinkButton } from '../../ui/button.tsx'
import { DetailPage } from '../../ui/detail.tsx'
import { ProjectTabs } from '../../ui/tabs.tsx'
import { projectUrl } from '../../ui/text/links.ts'
import { Empty, PageFrame, Panel } from '../../ui/page.tsx'
import { WhenKnown } from '../../ui/when-known.tsx'
import { StateText } from '../../ui/state.tsx'
import { visibleText } from '../../ui/text/visible-text.ts'
import { Since } from '../../ui/time.tsx'
import {
  useProjectFound,
  useProjectPlace,
  useStagelets,
  type ProjectPlace,
} from '../project/data.ts'
import { Changes } from './changes.tsx'
import { useKeptRollouts, useRevisions, useRollout } from './data.ts'
import { GoBack } from './go-back.tsx'
import { KeptRollouts } from './kept.tsx'
import { lanesOf } from './lanes.ts'
import { isOver, Lanes, Proof, secondsOf, summaryOf } from './lanes-view.tsx'
import { ReceiptButton } from './receipt.tsx'
import { ProjectRollout } from './rollout.tsx'
import { RunningOn } from './running-on.tsx'
import { StageletsOfRollout } from './stagelets.tsx'
import { rolloutState } from './words.ts'

interface Props {
  readonly place: ProjectPlace
  readonly revision: number
}

/** Redraws some times in a second while the clock runs. */
const useTicking = (isRunning: boolean): void => {
  const [, draw] = useState(0)
  useEffect(() => {
    if (!isRunning) return undefined
    const timer = setInterval(() => draw((count) => count + 1), 200)
    return () => clearInterval(timer)
  }, [isRunning])
}

/** The clock runs from the change until all of its containers are healthy, or one has failed. */
const useLanes = (
  { place, revision }: Props,
  closedAt: string | undefined,
  applied: AppliedChange | undefined,
) => {
  const { team, project } = place
  const from = closedAt === undefined ? (applied?.at ?? now()) : Date.parse(closedAt)
  const stagelets = useStagelets(place)
  const rollouts = useKeptRollouts({ team, project, revision })
  const world = together(stagelets, agents.list.value, rollouts)
  const lanes = mapKnown(world, ([all, machines, kept]) =>
    lanesOf(
      { stagelets: all, agents: machines, rollouts: kept },
      revision,
      { from, now: now() },
      applied,
    ),
  )
  const shown = someOf(lanes)
  const isRunning = shown.some((lane) => !isOver(lane))
  useTicking(isRunning)
  const summary = shown.length === 0 ? undefined : summaryOf(shown)
  useEffect(() => {
    if (summary !== undefined && !isRunning)
      announce(`${project} revision ${revision}: ${summary.text}`)
  }, [isRunning, summary?.text])
  return { from, stagelets, rollouts, lanes, isRunning, summary }
}

const Containers = ({
  clock: { from, stagelets, lanes, isRunning },
  applied,
}: {
  readonly clock: ReturnType<typeof useLanes>
  readonly applied: AppliedChange | undefined
}) => {
  const elapsed = Math.max(0, now() - from)
  return (
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
  )
}

interface WhatProps extends Props {
  readonly revisions: Known<readonly Revision[]>
  readonly newest: number | undefined
}

/** Against the one before or the one of the address, and against now. */
const WhatChanged = ({ place, revision, revisions, newest }: WhatProps) => {
  const { against } = useLocation().query
  const project = `${place.team}/${place.project}`
  const known = someOf(revisions).map((row) => row.revision)
  const before = known[known.indexOf(revision) + 1] ?? 0
  const from = /^\d{1,15}$/.test(against ?? '') ? Number(against) : before
  return (
    <>
      <Panel title={from === 0 ? 'What it brought' : `Against r${from}`}>
        <Changes project={project} from={from} to={revision} newest={newest} />
      </Panel>
      {revision === newest ? null : (
        <Panel title="Against now">
          <Changes project={project} from={revision} to="head" newest={newest} />
        </Panel>
      )}
    </>
  )
}

const About = ({ place, row, newest }: Omit<WhatProps, 'revision' | 'revisions'> & AboutProps) => (
  <p class="muted">
    {row.by.join(', ')} · <Since at={row.closed_at} /> · {row.keys.join(', ')}
    {row.note === undefined ? null : <> · “{visibleText(row.note)}”</>} · on{' '}
    <RunningOn place={place} revision={row.revision} newest={newest} />
  </p>
)

interface AboutProps {
  readonly row: Revision
}

/** Of the title of the window. */
const glyphs: Readonly<Record<string, string>> = { ok: '●', fail: '▲', wait: '◔', unknown: '◌' }

/** Its containers say how it is; where it re-creates none, the rollout of the project. */
const useShown = ({ place, revision }: Props) => {
  const { team, project } = place
  const found = partOf(useProjectFound(place))
  const revisions = useRevisions(`${team}/${project}`, found?.revision)
  const row = mapKnown(revisions, (all) => all.find((one) => one.revision === revision))
  const applied = appliedOf(team, project, revision)
  const clock = useLanes({ place, revision }, partOf(row)?.closed_at, applied)
  const newest = found?.revision === revision ? found : undefined
  const rollout = useRollout(newest)
  const whole = newest && partOf(rollout.read)
  const [kind, text] = whole === undefined ? [] : rolloutState(whole)
  const state = clock.summary ?? (kind && { kind, text })
  return { found, newest, revisions, row, applied, clock, rollout, state }
}

const RevisionPage = ({ place, revision }: Props) => {
  const { team, project: name } = place
  const shown = useShown({ place, revision })
  const { found, newest, revisions, row, applied, clock, rollout, state } = shown
  const project = { team, name }
  const back = newest === undefined ? revision : 'previous'
  const isKept = partOf(row) !== undefined
  return (
    <PageFrame
      windowTitle={`${state === undefined ? '' : (glyphs[state.kind] ?? '◐')} ${name} r${revision}`}
      title={revision === 0 ? 'No revision yet' : `Revision ${revision}`}
      within={<a href={projectUrl(project)}>{name}</a>}
      tabs={<ProjectTabs {...project} current="Revisions" />}
      state={state && <StateText kind={state.kind}>{state.text}</StateText>}
      actions={
        <>
          {found === undefined || !(newest === undefined ? isKept : revision > 1) ? null : (
            <GoBack key={back} place={place} revision={back} newest={found.revision} />
          )}
          {isKept ? <ReceiptButton {...place} revision={revision} /> : null}
          <LinkButton href={`${projectUrl(project)}?at=${revision}`}>Compare with now</LinkButton>
        </>
      }
    >
      <WhenKnown value={row} rows={1} none={null}>
        {(about) => <About place={place} row={about} newest={found?.revision} />}
      </WhenKnown>
      {newest === undefined ? null : (
        <Panel flush>
          <ProjectRollout project={newest} {...rollout} />
        </Panel>
      )}
      <Containers clock={clock} applied={applied} />
      {newest === undefined ? null : <StageletsOfRollout team={team} read={rollout.read} />}
      <WhenKnown value={clock.rollouts} none={null}>
        {(all) => (
          <Panel flush title="Rollouts">
            <KeptRollouts all rollouts={all} label="Rollouts" />
          </Panel>
        )}
      </WhenKnown>
      {isKept ? (
        <WhatChanged
          place={place}
          revision={revision}
          revisions={revisions}
          newest={found?.revision}
        />
      ) : null}
    </PageFrame>
  )
}

export const Page = () => {
  const place = useProjectPlace()
  const { revision } = useRoute().params
  const found = useProjectFound(place)
  if (revision !== 'newest') return <RevisionPage place={place} revision={Number(revision)} />
  return (
    <DetailPage
      value={found}
      name={place.project}
      back={{ href: '/ui/revisions', text: 'Back to rollouts' }}
    >
      {(project) => <RevisionPage place={place} revision={project.revision} />}
    </DetailPage>
  )
}
