// Logs of a stagelet: masked on their machine, followed here. The searched text stays in this page.
import { findIn, partOf } from '../../live/known.ts'
import { useEffect, useState } from 'preact/hooks'
import { useShortcuts } from '../../session/keys.ts'
import { whyNot } from '../../session/session.ts'
import { useQueryState } from '../../session/team.ts'
import type { Stagelet } from '../../../src/generated/rest-types.ts'
import { agents } from '../../live/collections.ts'
import { conditionOf } from '../../live/states.ts'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { Empty } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { Since } from '../../ui/time.tsx'
import { plainOf } from '../logs/ansi.ts'
import type { LogRow } from '../logs/buffer.ts'
import { download } from '../logs/download.ts'
import { LogLines } from '../logs/lines.tsx'
import { logSettings, rememberServices, setLogSettings } from '../logs/settings.ts'
import { LogText } from '../logs/text.tsx'
import { useLogs, type LogPhase, type Logs } from '../logs/use-logs.ts'
import s from '../logs/logs.module.css'

const colours = 6
const tails = [20, 200, 1000, 5000]

/** The chosen services: of the address, else those of last time; undefined: all. */
const useChosen = (stagelet: Stagelet) => {
  const [asked, setAsked] = useQueryState('service')
  const names = stagelet.services.map(({ name }) => name)
  const wanted = asked?.split(',') ?? logSettings.value.services[stagelet.id]
  const existing = wanted?.filter((name) => names.includes(name)) ?? []
  const chosen = existing.length === 0 || existing.length === names.length ? undefined : existing
  return {
    names,
    chosen,
    choose: (next: readonly string[]): void => {
      const some = next.length === 0 || next.length === names.length ? undefined : next
      rememberServices(stagelet.id, some)
      setAsked(some?.join(','))
    },
  }
}

const Services = ({
  names,
  chosen,
  choose,
  colourOf,
}: ReturnType<typeof useChosen> & { readonly colourOf: (name: string) => string }) => (
  <fieldset class={s['services']}>
    <legend class="visually-hidden">Services</legend>
    {names.map((name) => {
      const isOn = chosen === undefined || chosen.includes(name)
      return (
        <label key={name} class={s['service']}>
          <input
            type="checkbox"
            checked={isOn}
            onChange={() => {
              const now = chosen ?? names
              choose(isOn ? now.filter((service) => service !== name) : [...now, name])
            }}
          />
          <span class={colourOf(name)}>{name}</span>
        </label>
      )
    })}
  </fieldset>
)

const phases: Readonly<Record<LogPhase, string>> = {
  connecting: 'connecting',
  following: 'following',
  broken: 'connection lost, reconnecting',
  ended: 'ended',
  full: 'not open',
  refused: 'not open',
}

interface BarProps {
  readonly logs: Logs
  readonly chosen: ReturnType<typeof useChosen>
  readonly colourOf: (name: string) => string
  readonly text: string
  readonly onText: (text: string) => void
  readonly name: string
}

const Bar = ({ logs, chosen, colourOf, text, onText, name }: BarProps) => {
  const shown = logs.buffer.shown()
  return (
    <div class={s['bar']}>
      <Services {...chosen} colourOf={colourOf} />
      <input
        type="search"
        id="log-filter"
        class={s['filter']}
        aria-label="Filter lines"
        placeholder="filter lines"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      <label class={`${s['service']} ${s['onlyWide']}`}>
        <input
          type="checkbox"
          checked={logSettings.value.times}
          onChange={(event) => setLogSettings({ times: event.currentTarget.checked })}
        />
        times
      </label>
      <label class={s['service']}>
        last
        <select
          value={String(logSettings.value.tail)}
          onChange={(event) => setLogSettings({ tail: Number(event.currentTarget.value) })}
        >
          {tails.map((tail) => (
            <option value={String(tail)}>{tail} lines</option>
          ))}
        </select>
      </label>
      <Button
        small
        whyNot={shown.length === 0 ? 'No lines to download.' : undefined}
        onPress={() => download(name, shown)}
      >
        Download
      </Button>
      <span class={`${s['phase']} muted num`} role="status">
        {phases[logs.phase]} · {shown.length}
        {text === '' ? '' : ` of ${logs.buffer.kept()}`} lines
      </span>
    </div>
  )
}

const Full = () => (
  <Empty title="Two other tabs of this browser follow logs">
    A browser opens few connections to one server. The logs start here when one of the tabs is
    closed.
  </Empty>
)

const Nothing = ({
  stagelet,
  phase,
}: {
  readonly stagelet: Stagelet
  readonly phase: LogPhase
}) => {
  const agent = partOf(
    findIn(
      agents.list.value,
      ({ team, name }) => team === stagelet.team && name === stagelet.agent,
    ),
  )
  const isAway = agent !== undefined && conditionOf(agent, 'Ready')?.status !== 'True'
  if (isAway)
    return (
      <Empty title={`${agent.name} has been offline since `}>
        <Since at={agent.last_seen} />
      </Empty>
    )
  const inSync = conditionOf(stagelet, 'SecretsInSync')
  if (inSync?.reason === 'EngineUnavailable')
    return <Empty title="Docker does not answer">{inSync.message}</Empty>
  return <Empty title={phase === 'connecting' ? 'Asking the agent' : 'No log lines'} />
}

const Selected = ({ row, onClose }: { readonly row: LogRow; readonly onClose: () => void }) => {
  if (row.kind !== 'line') return null
  const { service, time, container, stream, text } = row.line
  return (
    <aside class={s['whole']} aria-label="Selected line">
      <header>
        <b>{service}</b>
        <span class="muted">
          {container} · {stream} · {time}
        </span>
        <CopyButton text={plainOf(text)} label="Copy the line" />
        <Button small variant="quiet" onPress={onClose}>
          Close
        </Button>
      </header>
      <pre tabIndex={0}>
        <LogText text={text} />
      </pre>
    </aside>
  )
}

const Reader = ({ stagelet }: { readonly stagelet: Stagelet }) => {
  const chosen = useChosen(stagelet)
  const { tail, times } = logSettings.value
  const logs = useLogs({ stagelet: stagelet.id, tail, services: chosen.chosen })
  const [text, setText] = useState('')
  const [selected, setSelected] = useState<LogRow>()
  const colourOf = (name: string): string =>
    s[`c${Math.max(0, chosen.names.indexOf(name)) % colours}`] ?? ''
  const filter = (next: string): void => {
    logs.buffer.filter(next)
    setText(next)
  }
  useShortcuts([
    {
      keys: '/',
      does: 'Filter lines',
      run: () => (document.getElementById('log-filter')?.focus(), true),
    },
  ])
  useEffect(() => {
    setSelected(undefined)
  }, [stagelet.id])
  const shown = logs.buffer.shown()
  return (
    <div class={s['logs']}>
      <Bar
        logs={logs}
        chosen={chosen}
        colourOf={colourOf}
        text={text}
        onText={filter}
        name={stagelet.name}
      />
      {logs.phase === 'full' ? <Full /> : null}
      {logs.phase === 'refused' ? <ProblemBox error={logs.error} onRetry={logs.again} /> : null}
      {shown.length === 0 && logs.phase !== 'full' && logs.phase !== 'refused' ? (
        <Nothing stagelet={stagelet} phase={logs.phase} />
      ) : null}
      {shown.length === 0 ? null : (
        <LogLines
          label={`Lines of ${stagelet.name}`}
          rows={shown}
          change={logs.change}
          times={times}
          colourOf={colourOf}
          onSelect={setSelected}
          selected={selected?.at}
        />
      )}
      {logs.phase === 'ended' ? (
        <p class={s['over']}>
          The log stream ended.{' '}
          <Button small onPress={logs.again}>
            Reconnect
          </Button>
        </p>
      ) : null}
      {selected === undefined ? null : (
        <Selected row={selected} onClose={() => setSelected(undefined)} />
      )}
    </div>
  )
}

export const LogsTab = ({ stagelet }: { readonly stagelet: Stagelet }) => {
  const refused = whyNot('get', 'stagelets/logs', stagelet.team)
  return refused === undefined ? (
    <Reader key={stagelet.id} stagelet={stagelet} />
  ) : (
    <Empty title="You have no access to these logs">{refused}</Empty>
  )
}
