// Stacks name the sources that a bundle was made from. Node does that too, but then reads the maps of all that it
// loads, a megabyte at each start; here a map is read when a stack is.
import { readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const readMap = (file: string): SourceMap | undefined => {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')) as SourceMapPayload)
  } catch {
    // Not bundled, such as a module of Node.
    return undefined
  }
}

const maps = new Map<string, SourceMap | undefined>()

const sourceOf = (file: string, line: number, column: number): string | undefined => {
  if (!maps.has(file)) maps.set(file, readMap(file))
  const entry = maps.get(file)?.findEntry(line - 1, column - 1)
  if (entry === undefined || !('originalSource' in entry)) return undefined
  const { originalSource, originalLine, originalColumn } = entry
  return `${resolve(dirname(file), originalSource)}:${originalLine + 1}:${originalColumn + 1}`
}

/** `file:///dist/cli/main.js:10:5` within a frame. */
const position = /(file:\/\/\/[^\s()]+):(\d+):(\d+)/

/** For all errors of this process, when somebody reads their stack. */
export const nameSourcesInStacks = (): void => {
  Error.prepareStackTrace = (error, frames: readonly { toString(): string }[]) => {
    const lines = frames.map((frame) =>
      `    at ${frame.toString()}`.replace(
        position,
        (found, url: string, line: string, column: string) =>
          sourceOf(fileURLToPath(url), Number(line), Number(column)) ?? found,
      ),
    )
    return [String(error), ...lines].join('\n')
  }
}
