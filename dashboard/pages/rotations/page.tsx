// Rotations of a project: where each stands, who is waited for, and what was proven.
import type { Rotation } from '../../../src/rest/types.ts'
import { useRoute } from 'preact-iso'
import { useState } from 'preact/hooks'
import { api, must } from '../../api/client.ts'
import { whyNot } from '../../app/session.ts'
import { pauseRotationDoing, runRotationDoing } from '../../copy-as/rotations.ts'
import { rotationsOf } from '../../live/collections.ts'
import { useAction, whyNotOwned } from '../../ui/action.ts'
import { Button } from '../../ui/button.tsx'
import { confirmed } from '../../ui/confirm-login.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Facts } from '../../ui/drawer.tsx'
import { projectUrl, stageletUrl } from '../../ui/text/links.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { Empty, PageFrame, Panel } from '../../ui/page.tsx'
import { ProjectTabs } from '../../ui/project-tabs.tsx'
import { messageText } from '../../ui/text/message.ts'
import { ofTeam, partOf } from '../../live/known.ts'
import { State } from '../../ui/state.tsx'
import { Ago, Since, Until } from '../../ui/time.tsx'
import { nextText, scheduleText, stateOf, useText } from './data.ts'
import { History } from './history.tsx'
import { Line } from './line.tsx'
import s from './rotations.module.css'

interface Props {
  readonly team: string
  readonly rotation: Rotation
}

const pathOf = (team: string, { project, name }: Rotation) => ({
  path: { project_id: `${team}/${project}`, rotation: name },
})

const Actions = ({ team, rotation }: Props) => {
  const { busy, run } = useAction()
  const [asks, setAsks] = useState(false)
  const { name, paused, source } = rotation
  const place = { team, project: rotation.project, name }
  const params = pathOf(team, rotation)
  const start = async (): Promise<void> => {
    const request = () =>
      must(api.POST('/projects/{project_id}/rotations/{rotation}/run', { params, body: {} }))
    await run(request, `${name}: a new credential is asked for.`, runRotationDoing(place))
    setAsks(false)
  }
  const pause = async (): Promise<void> => {
    const body = { paused: !paused }
    const request = () =>
      must(api.PATCH('/projects/{project_id}/rotations/{rotation}', { params, body }))
    const done = paused ? `${name} goes on.` : `${name} is paused.`
    await run(() => confirmed(request), done, pauseRotationDoing(place, !paused))
  }
  return (
    <span class={s['actions']}>
      <Button
        small
        busy={busy}
        label={`${paused ? 'Resume' : 'Pause'} ${name}`}
        whyNot={whyNot('patch', 'rotations', team) ?? whyNotOwned(source)}
        onPress={() => void pause()}
      >
        {paused ? 'Resume' : 'Pause'}
      </Button>
      <Button
        small
        label={`Run now: ${name}`}
        whyNot={
          whyNot('create', 'rotations/run', team) ??
          (paused ? 'It is paused: resume it first.' : undefined)
        }
        onPress={() => setAsks(true)}
      >
        Run now…
      </Button>
      {asks ? (
        <Confirm
          title={`Rotate ${name} now?`}
          action={`Rotate ${name}`}
          busy={busy}
          onConfirm={() => void start()}
          onClose={() => setAsks(false)}
        >
          <p>
            A new credential is made and rolled out by the ordinary gates. The old one stays valid
            until every container is proven to run the new one.
          </p>
          <CopyAs doing={runRotationDoing(place)} />
        </Confirm>
      ) : null}
    </span>
  )
}

/** Who is waited for, and where it was proven. */
const People = ({ team, rotation }: Props) => {
  const { blocked_by: blocked, evidence } = rotation
  return (
    <>
      {blocked.length === 0 ? null : (
        <ul class={s['list']} aria-label="Waits for">
          {blocked.map(({ stagelet, message }) => (
            <li>
              <State kind="warn">
                {stagelet === undefined ? (
                  'the store of the credential'
                ) : (
                  <a href={stageletUrl({ team, name: stagelet })}>{stagelet}</a>
                )}
              </State>
              <span>{messageText(message)}</span>
            </li>
          ))}
        </ul>
      )}
      {evidence.length === 0 ? null : (
        <ul class={s['list']} aria-label="Proven in">
          {evidence.map(({ stagelet, revision, containers }) => (
            <li>
              <State kind="ok">
                <a href={stageletUrl({ team, name: stagelet })}>{stagelet}</a>
              </State>
              <span class="muted num">
                {containers} {containers === 1 ? 'container' : 'containers'} of revision {revision}{' '}
                ran the new one
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

const One = (props: Props) => {
  const { team, rotation } = props
  const { kind, word, why } = stateOf(rotation)
  const { name, outputs, next_at: next, last_rotated_at: last, overlap, retry_at: retry } = rotation
  const { phase, use } = rotation
  const again = phase === 'Overlapping' ? 'Looked again' : 'Tried again'
  const secretHref = (secret: string): string =>
    `${projectUrl({ team, name: rotation.project })}?${new URLSearchParams({ secret }).toString()}`
  return (
    <Panel title={name} aside={<Actions {...props} />}>
      <div class={s['one']}>
        <p class={s['state']}>
          <State kind={kind}>{word}</State>
          {why === '' ? null : <span class="muted">{messageText(why)}</span>}
        </p>
        <Line rotation={rotation} />
        <People {...{ team, rotation }} />
        <Facts
          rows={[
            [
              'Changes',
              <>
                {Object.entries(outputs).map(([output, secret], i) => (
                  <>
                    {i === 0 ? '' : ', '}
                    {output} in <a href={secretHref(secret)}>{secret}</a>
                  </>
                ))}
              </>,
            ],
            [
              'When',
              `${scheduleText(rotation)}; both are valid for ${overlap ?? '10m'} after the proof`,
            ],
            ['Next', next === undefined ? nextText(rotation) : <Until at={next} />],
            ['Last', last === undefined ? 'never' : <Ago at={last} />],
            ...(use === undefined ? [] : [['Clients of the old one', useText(use)] as const]),
            ...(retry === undefined ? [] : [[again, <Since at={retry} />] as const]),
          ]}
        />
        <History {...{ team, rotation }} />
      </div>
    </Panel>
  )
}

export const Page = () => {
  const { team = '', project: name = '' } = useRoute().params
  const rotations = ofTeam(rotationsOf(team, name).known.value, team)
  const all = partOf(rotations) ?? []
  const bad = all.filter((one) => ['fail', 'warn'].includes(stateOf(one).kind)).length
  return (
    <PageFrame
      windowTitle={`${bad > 0 ? `▲ ${bad} ` : ''}${name} rotations`}
      title="Rotations"
      within={<a href={projectUrl({ team, name })}>{name}</a>}
      tabs={<ProjectTabs {...{ team, name }} current="Rotations" />}
      state={
        bad > 0 ? (
          <State kind="warn">
            {bad} {bad === 1 ? 'needs' : 'need'} you
          </State>
        ) : null
      }
    >
      <WhenKnown of={rotations} rows={8}>
        {(rows) =>
          rows.length > 0 ? (
            <>
              {rows.map((rotation) => (
                <One key={rotation.id} {...{ team, rotation }} />
              ))}
            </>
          ) : (
            <Panel>
              <Empty title="No credential is rotated">
                A <code>Rotation</code> makes a new credential at its time, rolls it out, and ends
                the old one when every container is proven to run the new one.
              </Empty>
            </Panel>
          )
        }
      </WhenKnown>
    </PageFrame>
  )
}
