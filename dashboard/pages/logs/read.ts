// Reads a log stream. A browser holds two of them open at most: each keeps one of the six connections that
// HTTP/1.1 gives to a host.
import { api, must } from '../../api/client.ts'
import type { ShownLogLine, LogEntry } from './record.ts'

interface LogStreamQuery {
  readonly service?: string
  readonly since?: string
  readonly tail?: number
}

/** Gives the records as they come, and none once the agent has answered. Ends when the stream ends; throws when it breaks. */
export const readRecords = async (
  stagelet: string,
  query: LogStreamQuery & { readonly follow?: 'true' },
  onRecords: (records: readonly LogEntry[]) => void,
  signal: AbortSignal,
): Promise<void> => {
  const body: unknown = await must(
    api.GET('/stagelets/{stagelet_id}/logs', {
      params: { path: { stagelet_id: stagelet }, query },
      parseAs: 'stream',
      signal,
    }),
  )
  onRecords([])
  const reader = (body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    const records = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LogEntry)
    if (records.length > 0) onRecords(records)
  }
}

/** The lines that are there now. Throws what the agent says where it cannot read them. */
export const readLines = async (
  stagelet: string,
  query: LogStreamQuery,
  signal: AbortSignal,
): Promise<readonly ShownLogLine[]> => {
  const lines: ShownLogLine[] = []
  let failed: string | undefined
  const take = (records: readonly LogEntry[]): void => {
    for (const record of records) {
      if (record.type === 'line') lines.push(record)
      else if (record.type === 'end') failed = record.error
    }
  }
  await readRecords(stagelet, query, take, signal)
  if (failed !== undefined && lines.length === 0) throw new LogsEnded(failed)
  return lines
}

/** The agent ended the logs early, and said why. */
class LogsEnded extends Error {
  override readonly name = 'LogsEnded'
}

const places = ['stagely-logs-1', 'stagely-logs-2']

/**
 * Runs it in one of the two places for log streams. Where both are taken it says so, and begins when one is free: a tab
 * that was closed keeps its place for a moment.
 */
export const withLogPlace = async (
  run: () => Promise<void>,
  onFull: () => void,
  signal: AbortSignal,
): Promise<void> => {
  for (const place of places) {
    const isMine = await navigator.locks.request(place, { ifAvailable: true }, async (lock) => {
      if (lock !== null) await run()
      return lock !== null
    })
    if (isMine || signal.aborted) return
  }
  onFull()
  const waiting = new AbortController()
  const giveUp = (): void => waiting.abort()
  signal.addEventListener('abort', giveUp)
  let isPlaced = false
  const wait = (place: string): Promise<void> =>
    navigator.locks.request(place, { signal: waiting.signal }, async () => {
      if (isPlaced || signal.aborted) return
      isPlaced = true
      // No longer in line for the other one.
      waiting.abort()
      await run()
    })
  await Promise.allSettled(places.map(wait))
  signal.removeEventListener('abort', giveUp)
}
