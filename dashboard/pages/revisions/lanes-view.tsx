// The lanes as they are drawn, and what they say together.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import type { Stagelet } from '../../../src/generated/rest-types.ts'
import type { AppliedChange } from '../../staging/applied.ts'
import { stageletUrl } from '../../ui/text/links.ts'
import { messageText } from '../../ui/text/message.ts'
import { StateText } from '../../ui/state.tsx'
import { DataTable } from '../../ui/table.tsx'
import { fineMomentOf } from '../../ui/time.tsx'
import { healthyThen, untouchedOf, type Lane } from './lanes.ts'
import s from './lanes.module.css'

export const secondsOf = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

export const isOver = ({ kind }: Lane): boolean => !['run', 'wait'].includes(kind)

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

const Outcome = ({ lane, from }: { readonly lane: Lane; readonly from: number }) => (
  <>
    <StateText kind={lane.kind}>{lane.word}</StateText>
    <small class="num">
      {(['started', 'healthy'] as const).map((what) =>
        lane[what] === undefined ? null : (
          <span key={what}>
            {what} <At ms={lane[what]} from={from} />{' '}
          </span>
        ),
      )}
    </small>
  </>
)

export const summaryOf = (lanes: readonly Lane[]) => {
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

export const Proof = ({
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

interface LanesProps {
  readonly lanes: readonly Lane[]
  readonly elapsed: number
  /** When the change was stored. */
  readonly from: number
}

export const Lanes = ({ lanes, elapsed, from }: LanesProps) => {
  const isRunning = lanes.some((lane) => !isOver(lane))
  const longest = Math.max(...lanes.map(({ healthy, started }) => healthy ?? started ?? 0))
  const scale = Math.max(1000, isRunning ? elapsed : longest * 1.05)
  return (
    <DataTable
      label="Containers"
      stacks
      rows={lanes}
      idOf={({ stagelet, service }) => `${stagelet.name}/${service}`}
      columns={[
        {
          title: 'Container',
          head: true,
          render: ({ stagelet, service, what }) => (
            <>
              <a href={stageletUrl(stagelet)}>{`${stagelet.name}/${service}`}</a>
              <small>{what}</small>
            </>
          ),
        },
        {
          title: `Saved, and ${secondsOf(scale)} on`,
          render: (lane) => <Bar lane={lane} scale={scale} />,
        },
        { title: 'State', render: (lane) => <Outcome lane={lane} from={from} /> },
      ]}
    />
  )
}
