// Rotations of a project: the step of each, what blocks it, and what was proven.
import type { Rotation } from '../../../src/generated/rest-types.ts'
import { useRoute } from 'preact-iso'
import { useState } from 'preact/hooks'
import { pauseRotation, runRotation } from '../../actions/stagelets.ts'
import { whyNot } from '../../session/session.ts'
import { rotationsOf } from '../../live/collections.ts'
import { useAction, whyNotOwned } from '../../ui/action.ts'
import { Button } from '../../ui/button.tsx'
import { ConfirmAction } from '../../ui/dialogs/confirm-action.tsx'
import { FactList } from '../../ui/dialogs/drawer.tsx'
import { EditButton, NewButton } from '../../ui/form-buttons.tsx'
import { attention } from '../../ui/list.tsx'
import { projectUrl, stageletUrl } from '../../ui/text/links.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { Empty, PageFrame, Panel } from '../../ui/page.tsx'
import { ProjectTabs } from '../../ui/tabs.tsx'
import { messageText } from '../../ui/text/message.ts'
import { inTeam, partOf } from '../../live/known.ts'
import { StateText } from '../../ui/state.tsx'
import { Ago, Since, Until } from '../../ui/time.tsx'
import { nextText, rotationState, scheduleText, usageText } from './data.ts'
import { RotationHistory } from './history.tsx'
import { RotationSteps } from './steps.tsx'
import s from './rotations.module.css'

interface Props {
  readonly team: string
  readonly rotation: Rotation
}

const Actions = ({ team, rotation }: Props) => {
  const { busy, run } = useAction()
  const [asks, setAsks] = useState(false)
  const { name, paused, source, project } = rotation
  const place = { team, project, name }
  return (
    <span class={s['actions']}>
      <Button
        small
        busy={busy}
        label={`${paused ? 'Resume' : 'Pause'} ${name}`}
        whyNot={whyNot('patch', 'rotations', team) ?? whyNotOwned(source)}
        onPress={() =>
          void run(
            pauseRotation(place, !paused),
            paused ? `${name} is resumed.` : `${name} is paused.`,
          )
        }
      >
        {paused ? 'Resume' : 'Pause'}
      </Button>
      <EditButton
        small
        kind="rotation"
        resource="rotations"
        object={{ team, name, source }}
        project={project}
      />
      <Button
        small
        label={`Run now: ${name}`}
        whyNot={
          whyNot('create', 'rotations/run', team) ??
          (paused ? 'The rotation is paused: resume it first.' : undefined)
        }
        onPress={() => setAsks(true)}
      >
        Run now…
      </Button>
      {asks ? (
        <ConfirmAction
          title={`Rotate ${name} now?`}
          label={`Rotate ${name}`}
          action={runRotation(place)}
          onDone={`The rotation of ${name} is requested.`}
          onClose={() => setAsks(false)}
        >
          <p>
            A new credential is created and rolled out. The old one stays valid until every
            container is proven to run the new one.
          </p>
        </ConfirmAction>
      ) : null}
    </span>
  )
}

/** What blocks the rotation, and the containers that are proven to run the new credential. */
const Progress = ({ team, rotation }: Props) => {
  const { blocked_by: blocked, evidence } = rotation
  return (
    <>
      {blocked.length === 0 ? null : (
        <ul class={s['list']} aria-label="Blocked by">
          {blocked.map(({ stagelet, message }) => (
            <li>
              <StateText kind="warn">
                {stagelet === undefined ? (
                  'the external store'
                ) : (
                  <a href={stageletUrl({ team, name: stagelet })}>{stagelet}</a>
                )}
              </StateText>
              <span>{messageText(message)}</span>
            </li>
          ))}
        </ul>
      )}
      {evidence.length === 0 ? null : (
        <ul class={s['list']} aria-label="Proven in">
          {evidence.map(({ stagelet, revision, containers }) => (
            <li>
              <StateText kind="ok">
                <a href={stageletUrl({ team, name: stagelet })}>{stagelet}</a>
              </StateText>
              <span class="muted num">
                {containers} {containers === 1 ? 'container' : 'containers'} of revision {revision}{' '}
                ran the new credential
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

const RotationPanel = (props: Props) => {
  const { team, rotation } = props
  const { kind, word, why } = rotationState(rotation)
  const { name, outputs, next_at: next, last_rotated_at: last, overlap, retry_at: retry } = rotation
  const { phase, use } = rotation
  const again = phase === 'Overlapping' ? 'Next check' : 'Next attempt'
  const secretHref = (secret: string): string =>
    `${projectUrl({ team, name: rotation.project })}?${new URLSearchParams({ secret }).toString()}`
  return (
    <Panel title={name} aside={<Actions {...props} />}>
      <div class={s['one']}>
        <p class={s['state']}>
          <StateText kind={kind}>{word}</StateText>
          {why === '' ? null : <span class="muted">{messageText(why)}</span>}
        </p>
        <RotationSteps rotation={rotation} />
        <Progress team={team} rotation={rotation} />
        <FactList
          rows={[
            [
              'Secrets',
              <>
                {Object.entries(outputs).map(([output, secret], i) => (
                  <>
                    {i === 0 ? '' : ', '}
                    {output} → <a href={secretHref(secret)}>{secret}</a>
                  </>
                ))}
              </>,
            ],
            [
              'Schedule',
              `${scheduleText(rotation)}; the old credential stays valid for ${overlap ?? '10m'} after the proof`,
            ],
            ['Next rotation', next === undefined ? nextText(rotation) : <Until at={next} />],
            ['Last rotation', last === undefined ? 'never' : <Ago at={last} />],
            ...(use === undefined
              ? []
              : [['Clients on the old credential', usageText(use)] as const]),
            ...(retry === undefined ? [] : [[again, <Since at={retry} />] as const]),
          ]}
        />
        <RotationHistory team={team} rotation={rotation} />
      </div>
    </Panel>
  )
}

export const Page = () => {
  const { team = '', project: name = '' } = useRoute().params
  const rotations = inTeam(rotationsOf(team, name).list.value, team)
  const all = partOf(rotations) ?? []
  const bad = all.filter((rotation) =>
    ['fail', 'warn'].includes(rotationState(rotation).kind),
  ).length
  const { mark, text } = attention(all.length, bad)
  return (
    <PageFrame
      windowTitle={`${mark === undefined ? '' : `${mark} `}${name} rotations`}
      title="Rotations"
      within={<a href={projectUrl({ team, name })}>{name}</a>}
      tabs={<ProjectTabs team={team} name={name} current="Rotations" />}
      actions={<NewButton kind="rotation" resource="rotations" given={{ team, project: name }} />}
      state={bad > 0 ? text : null}
    >
      <WhenKnown
        value={rotations}
        rows={8}
        none={
          <Panel>
            <Empty title="No rotations yet">
              A <code>Rotation</code> creates a new credential on a schedule, rolls it out, and
              revokes the old one when every container is proven to run the new one.
            </Empty>
          </Panel>
        }
      >
        {(rows) => (
          <>
            {rows.map((rotation) => (
              <RotationPanel key={rotation.id} team={team} rotation={rotation} />
            ))}
          </>
        )}
      </WhenKnown>
    </PageFrame>
  )
}
