// The panels of the history: one revision, and what two of them differ in.
import type { Revision } from '../../../src/generated/rest-types.ts'
import { whyNot } from '../../session/session.ts'
import { projects, stagelets } from '../../live/collections.ts'
import { mapKnown, partOf } from '../../live/known.ts'
import { Button } from '../../ui/button.tsx'
import { findByName } from '../../ui/detail.tsx'
import { Drawer, FactList, Section } from '../../ui/dialogs/drawer.tsx'
import { projectUrl, revisionUrl, stageletUrl } from '../../ui/text/links.ts'
import { visibleText } from '../../ui/text/visible-text.ts'
import { StateText } from '../../ui/state.tsx'
import { Ago, Since } from '../../ui/time.tsx'
import { InlineKnown, WhenKnown } from '../../ui/when-known.tsx'
import { ChangeList } from './changes.tsx'
import { projectId, runningOf, useDiff } from './data.ts'
import { ReceiptButton } from './receipt.tsx'
import s from './history.module.css'

export type Named = { readonly team: string; readonly name: string }

export const RunningOn = ({
  project,
  revision,
  newest,
}: {
  readonly project: Named
  readonly revision: number
  readonly newest: number | undefined
}) => {
  const running = mapKnown(stagelets.list.value, (all) => runningOf(project, all, revision))
  return (
    <InlineKnown value={running}>
      {(found) =>
        found.length === 0 ? (
          <span class="muted">–</span>
        ) : (
          <span class={s['states']}>
            {found.map((stagelet) => (
              <StateText
                key={stagelet.id}
                kind={revision === newest ? 'ok' : 'wait'}
                title={`${stagelet.name} runs revision ${revision}`}
              >
                <a href={stageletUrl(stagelet)}>{stagelet.name}</a>
              </StateText>
            ))}
          </span>
        )
      }
    </InlineKnown>
  )
}

const DiffOf = ({
  project,
  from,
  to,
}: {
  readonly project: Named
  readonly from: number
  readonly to: number | 'head'
}) => {
  const newest = partOf(findByName(projects.list.value, project))?.revision
  const diff = useDiff(projectId(project), { from, to, newest })
  return (
    <WhenKnown value={diff} rows={3}>
      {(found) => <ChangeList diff={found} />}
    </WhenKnown>
  )
}

interface OneProps {
  readonly project: Named
  readonly revision: Revision
  readonly before: number
  readonly newest: number | undefined
  readonly onClose: () => void
  readonly onGoBack: () => void
}

export const RevisionPanel = ({
  project,
  revision,
  before,
  newest,
  onClose,
  onGoBack,
}: OneProps) => {
  const { revision: number, by, note, closed_at: at } = revision
  return (
    <Drawer title={`r${number}`} under={<Ago at={at} />} onClose={onClose}>
      <Section title="About">
        <FactList
          rows={[
            ['Author', by.join(', ')],
            ['Time', <Since at={at} />],
            ['Note', note === undefined ? <span class="muted">none</span> : visibleText(note)],
            ['Rollout', <a href={revisionUrl(project, number)}>timeline of its containers</a>],
            ['Secrets', <a href={`${projectUrl(project)}?at=${number}`}>compare with now</a>],
            ['Runs it', <RunningOn project={project} revision={number} newest={newest} />],
          ]}
        />
      </Section>
      <Section title="Receipt">
        <p class="muted">A signed record of the revision, to keep.</p>
        <p>
          <ReceiptButton team={project.team} project={project.name} revision={number} />
        </p>
      </Section>
      <Section title={before === 0 ? 'What it brought' : `Against r${before}`}>
        <DiffOf project={project} from={before} to={number} />
      </Section>
      {number === newest ? null : (
        <Section title="Against now">
          <DiffOf project={project} from={number} to="head" />
        </Section>
      )}
      <Section title="Go back">
        <p class="muted">A preview shows first which containers are re-created.</p>
        <p>
          <Button whyNot={whyNot('update', 'stagelysecrets', project.team)} onPress={onGoBack}>
            Go back to r{number}…
          </Button>
        </p>
      </Section>
    </Drawer>
  )
}

interface CompareProps {
  readonly project: Named
  readonly range: readonly [number, number]
  readonly onClose: () => void
}

export const CompareRevisions = ({ project, range: [from, to], onClose }: CompareProps) => (
  <Drawer title={`r${from} → r${to}`} under="Differences" onClose={onClose}>
    <Section title="Secrets">
      <DiffOf project={project} from={from} to={to} />
    </Section>
  </Drawer>
)
