// One look: what is searched for, what was found so far, and when it ends.
import type { Clock } from '../../src/kernel/clock.ts'
import { createFinder, type FoundValue } from '../../src/masking/finder.ts'
import { createHitCounter } from '../../src/masking/hit-counter.ts'
import { createMasker } from '../../src/masking/masker.ts'
import {
  lookLimitMs,
  type FoundPlace,
  type LookAnswer,
  type LookOrder,
} from '../../src/protocol/look.ts'
import type { Engine } from '../docker/engine.ts'
import { createScanner, scanText } from '../../src/scan/scanner.ts'
import { readSmallFile } from './small-files.ts'

export type LookEngine = Pick<
  Engine,
  'listAllContainers' | 'configOf' | 'listImages' | 'imageConfig' | 'listContainers' | 'openLog'
>

export interface Looking {
  readonly engine: LookEngine
  /** Compose projects of the stagelets of this agent. */
  readonly projects: ReadonlySet<string>
  /** Names of the values that a text holds. */
  readonly find: (text: Buffer) => readonly string[]
  /** A file is read once, through however many mounts it is reached. */
  readonly findInFile: (path: string) => Promise<readonly FoundLine[]>
  /** Of what comes in pieces. */
  readonly stream: () => FoundStream
  /** Notes a place, where `values` is not empty. */
  readonly note: (place: Omit<FoundPlace, 'values'>, values: readonly string[]) => void
  readonly unread: (what: string) => void
  readonly isOver: () => boolean
  readonly signal: AbortSignal
  readonly answer: () => LookAnswer
}

interface FoundStream {
  write(bytes: Buffer): void
  /** Names of the values that were found. */
  end(): readonly string[]
}

interface FoundLine {
  readonly line: number
  readonly values: readonly string[]
}

/** Finds values of which only fingerprints are known. */
const printFinder = ({ key, prints }: Pick<LookOrder, 'key' | 'prints'>) => {
  const names = new Map(prints.map(({ mac, name }) => [mac, name]))
  const file = { key, strong: prints, weak_lengths: [] }
  return (text: Buffer): FoundValue[] => {
    if (prints.length === 0) return []
    const scanner = createScanner(file)
    scanText([scanner], { path: '', bytes: text })
    return scanner.hits.map(({ mac, line }) => ({ key: names.get(mac)!, line }))
  }
}

/** Bytes of a log that are looked through at once, up to their last line break. */
const pieceBytes = 262_144

/** Looks through whole lines, as far as they are not longer than a piece. */
const inPieces = (find: (text: Buffer) => readonly FoundValue[]): FoundStream => {
  const found = new Set<string>()
  let rest = Buffer.alloc(0)
  const look = (text: Buffer): void => {
    for (const { key } of find(text)) found.add(key)
  }
  return {
    write: (bytes) => {
      rest = Buffer.concat([rest, bytes])
      if (rest.length < pieceBytes) return
      const end = rest.lastIndexOf(10) + 1 || rest.length
      look(rest.subarray(0, end))
      rest = rest.subarray(end)
    },
    end: () => {
      look(rest)
      return [...found]
    },
  }
}

const byLine = (found: readonly FoundValue[]): FoundLine[] => {
  const lines = new Map<number, string[]>()
  for (const { key, line } of found) lines.set(line, [...(lines.get(line) ?? []), key])
  return [...lines].map(([line, values]) => ({ line, values }))
}

export const startLooking = (
  {
    engine,
    projects,
    clock,
    signal,
  }: Pick<Looking, 'engine' | 'projects' | 'signal'> & { readonly clock: Clock },
  order: Pick<LookOrder, 'values' | 'key' | 'prints'>,
): Looking => {
  const { values } = order
  const keyed = values.map(({ name, value }) => ({
    key: name,
    value: Buffer.from(value, 'base64'),
  }))
  const findPlain = createFinder(keyed)
  const findPrints = printFinder(order)
  const finder = (text: Buffer): FoundValue[] => [...findPlain(text), ...findPrints(text)]
  const counter = createHitCounter(keyed)
  const masker = createMasker(keyed.map(({ value }) => value))
  const endMs = clock.monotonic() + lookLimitMs
  const places: FoundPlace[] = []
  const unread = new Set<string>()
  const files = new Map<string, readonly FoundLine[]>()
  /** A file, a folder or a variable may have a value as its name. */
  const shown = (text: string): string =>
    findPrints(Buffer.from(text)).length > 0 ? '(a name that holds a value)' : masker.mask(text)
  return {
    engine,
    projects,
    signal,
    stream: () => {
      const plain = counter.stream()
      const pieces = inPieces(findPrints)
      return {
        write: (bytes) => {
          plain.write(bytes)
          pieces.write(bytes)
        },
        end: () => {
          plain.end()
          return [...new Set([...plain.hits.keys(), ...pieces.end()])]
        },
      }
    },
    find: (text) => [...new Set(finder(text).map(({ key }) => key))],
    findInFile: async (path) => {
      const read = files.get(path)
      if (read !== undefined) return read
      const text = await readSmallFile(path)
      const lines = text === undefined ? [] : byLine(finder(text))
      files.set(path, lines)
      return lines
    },
    note: ({ at, container, service, ...place }, found) => {
      if (found.length === 0) return
      places.push({
        ...place,
        ...(container !== undefined && { container: shown(container).slice(0, 256) }),
        ...(service !== undefined && { service: shown(service).slice(0, 256) }),
        ...(at !== undefined && { at: shown(at).slice(0, 4_200) }),
        values: [...found],
      })
    },
    unread: (what) => void unread.add(shown(what).slice(0, 2_000)),
    isOver: () => {
      if (!signal.aborted && clock.monotonic() < endMs) return false
      unread.add(`the look ended after ${lookLimitMs / 1000} s: not everything was looked through`)
      return true
    },
    answer: () => ({ places, unread: [...unread] }),
  }
}
