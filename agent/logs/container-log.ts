// The masked log of one container, over its restarts. The engine ends a log when the container ends, and the next read
// goes on where the last one stopped.
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { Masker } from '../../src/masking/masker.ts'
import type { LogLine } from '../../src/protocol/logs.ts'
import type { Engine, LogOptions } from '../docker/engine.ts'
import { readFrames, type LogFrame } from './frames.ts'
import { createLineMasker } from './line-masker.ts'

export interface ContainerLog {
  /** Reads the lines that were not read yet, until the engine ends the log. Not twice at a time. Never rejects. */
  read(follow: boolean, signal: AbortSignal): AsyncGenerator<LogLine, void, undefined>
}

interface ContainerLogDeps {
  readonly engine: Pick<Engine, 'openLog'>
  readonly masker: () => Masker
  readonly log: Logger
}

export const createContainerLog = (
  deps: ContainerLogDeps,
  container: { readonly id: string; readonly name: string; readonly service: string },
  first: Omit<LogOptions, 'follow'>,
): ContainerLog => {
  /** Time of the last frame, and how many frames of this time were read. */
  let last = { time: '', frames: 0 }

  const options = (follow: boolean): LogOptions =>
    last.time === '' ? { ...first, follow } : { since: engineTime(last.time), follow }

  /** False for a frame that was read before. */
  const isNew = (frame: LogFrame, skipped: { count: number; lastFrame: typeof last }): boolean => {
    if (
      frame.time !== '' &&
      frame.time === skipped.lastFrame.time &&
      skipped.count < skipped.lastFrame.frames
    ) {
      skipped.count += 1
      return false
    }
    last = { time: frame.time, frames: frame.time === last.time ? last.frames + 1 : 1 }
    return true
  }

  return {
    read: async function* (follow, signal) {
      const maskers = {
        stdout: createLineMasker(deps.masker),
        stderr: createLineMasker(deps.masker),
      }
      const lineOf =
        (stream: LogFrame['stream']) =>
        ({ time, text }: { time: string; text: string }): LogLine => {
          const { service, name } = container
          return { type: 'line', service, container: name, stream, time, text }
        }
      const skipped = { count: 0, lastFrame: last }
      try {
        const opened = await deps.engine.openLog(container.id, options(follow), signal)
        if (opened === undefined) return
        for await (const frame of readFrames(opened)) {
          if (!isNew(frame, skipped)) continue
          const lines = maskers[frame.stream].take(frame.time, frame.bytes)
          yield* lines.map(lineOf(frame.stream))
        }
      } catch (error) {
        if (!signal.aborted)
          deps.log.warn({ container: container.name, reason: messageOf(error) }, 'a log broke off')
      }
      for (const stream of ['stdout', 'stderr'] as const)
        yield* maskers[stream].end().map(lineOf(stream))
    },
  }
}

/** `2026-11-24T21:00:00.000000001Z` as `1795554000.000000001`. */
const engineTime = (time: string): string =>
  `${Math.floor(Date.parse(time) / 1000)}.${time.slice(20, 29)}`
