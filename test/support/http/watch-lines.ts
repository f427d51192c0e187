// Lines of a watch.
import type { IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'

export interface WatchEvent {
  type: string
  object: {
    kind: string
    metadata: {
      name: string
      resourceVersion: string
      labels?: Record<string, string>
      annotations?: Record<string, string>
    }
    spec: Record<string, unknown>
  }
}

/** Reads up to and with the first event for which `done` is true, or to the end of the stream. */
export const readUntil = async (
  response: IncomingMessage,
  done: (event: WatchEvent, count: number) => boolean,
): Promise<WatchEvent[]> => {
  const events: WatchEvent[] = []
  for await (const line of createInterface({ input: response })) {
    const event = JSON.parse(line) as WatchEvent
    events.push(event)
    if (done(event, events.length)) break
  }
  return events
}

export const readEvents = (response: IncomingMessage, count: number): Promise<WatchEvent[]> =>
  readUntil(response, (_, read) => read === count)
