// Follows the logs of a stagelet. What came is shown once in a frame. A stream that breaks is opened again after
// the last line that came.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { ApiProblem } from '../../api/client.ts'
import { nextFrame } from '../../live/collection.ts'
import { createLogBuffer, type LogBuffer } from './buffer.ts'
import { readRecords, withLogPlace } from './read.ts'
import type { LogEntry } from './record.ts'

/** `full`: two other tabs of this browser read logs; `refused`: the controller said no. */
export type LogPhase = 'connecting' | 'following' | 'broken' | 'ended' | 'full' | 'refused'

interface LogRequest {
  readonly stagelet: string
  readonly tail: number
  /** Absent: all. */
  readonly services: readonly string[] | undefined
}

/** What the newest frame brought. */
export interface LogChange {
  readonly gone: number
  readonly came: number
}

interface State {
  readonly phase: LogPhase
  readonly error: unknown
  readonly change: LogChange
}

export interface Logs extends State {
  readonly buffer: LogBuffer
  /** Opens the stream anew. */
  readonly again: () => void
}

const pauseMs = 2000
const nothing: LogChange = { gone: 0, came: 0 }

/** Knows where a stream that is opened again goes on: lines until then are not taken twice. */
const createResume = () => {
  const newest = new Map<string, string>()
  let before: ReadonlyMap<string, string> = new Map()
  return {
    /** Time of the newest line; undefined: none came. */
    begin: (): string | undefined => {
      before = new Map(newest)
      return [...newest.values()].sort().at(-1)
    },
    isNew: (record: LogEntry): boolean => {
      if (record.type !== 'line') return true
      const { container, time } = record
      if (time <= (before.get(container) ?? '')) return false
      newest.set(container, time)
      return true
    },
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
    signal.addEventListener('abort', () => resolve())
  })

interface Follow extends LogRequest {
  readonly signal: AbortSignal
  readonly onRecords: (records: readonly LogEntry[]) => void
  readonly onPhase: (phase: LogPhase, error?: unknown) => void
}

/** Reads until the logs end or the controller refuses; opens a broken stream again. */
const follow = async ({
  stagelet,
  tail,
  services,
  signal,
  onRecords,
  onPhase,
}: Follow): Promise<void> => {
  const resume = createResume()
  const chosen = services === undefined ? {} : { service: services.join(',') }
  while (!signal.aborted) {
    const since = resume.begin()
    const from = since === undefined ? { tail } : { since }
    let isOver = false
    const take = (records: readonly LogEntry[]): void => {
      onPhase('following')
      isOver = records.at(-1)?.type === 'end'
      onRecords(records.filter(resume.isNew))
    }
    try {
      await readRecords(stagelet, { ...chosen, ...from, follow: 'true' }, take, signal)
    } catch (error) {
      if (error instanceof ApiProblem) {
        onPhase('refused', error)
        return
      }
    }
    if (isOver) {
      onPhase('ended')
      return
    }
    onPhase('broken')
    await pause(pauseMs, signal)
  }
}

export const useLogs = ({ stagelet, tail, services }: LogRequest): Logs => {
  const buffer = useMemo(() => createLogBuffer(), [])
  const [attempt, setAttempt] = useState(0)
  const [state, setState] = useState<State>({
    phase: 'connecting',
    error: undefined,
    change: nothing,
  })
  const names = services?.join(',')
  useEffect(() => {
    const abort = new AbortController()
    let waiting: LogEntry[] = []
    const show = (): void => {
      if (abort.signal.aborted) return
      const change = buffer.add(waiting)
      waiting = []
      setState((before) => ({ ...before, change }))
    }
    buffer.clear()
    setState({ phase: 'connecting', error: undefined, change: nothing })
    const onPhase = (phase: LogPhase, error?: unknown): void => {
      if (!abort.signal.aborted)
        setState((before) => (before.phase === phase ? before : { ...before, phase, error }))
    }
    const onRecords = (records: readonly LogEntry[]): void => {
      if (waiting.length === 0 && records.length > 0) nextFrame(show)
      waiting.push(...records)
    }
    const run = (): Promise<void> => {
      onPhase('connecting')
      return follow({ stagelet, tail, services, signal: abort.signal, onRecords, onPhase })
    }
    const onFull = (): void => onPhase('full')
    void withLogPlace(run, onFull, abort.signal)
    return () => abort.abort()
  }, [stagelet, tail, names, attempt])
  return {
    ...state,
    buffer,
    again: () => setAttempt(attempt + 1),
  }
}
