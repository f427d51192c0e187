// One look: what is searched for, what was found so far, and when it ends.
import type { Clock } from '../../src/kernel/clock.ts'
import { createFinder, type FoundValue } from '../../src/masking/finder.ts'
import { createHitCounter, type HitCounter } from '../../src/masking/hit-counter.ts'
import { createMasker } from '../../src/masking/masker.ts'
import {
  lookLimitMs,
  type FoundPlace,
  type LookAnswer,
  type LookOrder,
} from '../../src/protocol/look.ts'
import type { Engine } from '../docker/engine.ts'
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
  readonly counter: HitCounter
  /** Notes a place, where `values` is not empty. */
  readonly note: (place: Omit<FoundPlace, 'values'>, values: readonly string[]) => void
  readonly unread: (what: string) => void
  readonly isOver: () => boolean
  readonly signal: AbortSignal
  readonly answer: () => LookAnswer
}

interface FoundLine {
  readonly line: number
  readonly values: readonly string[]
}

/** A file or folder may have a value as its name. */
const shown = (mask: (text: string) => string, text: string, most: number): string =>
  mask(text)
    .replace(/\0|\p{Surrogate}/gu, '')
    .slice(0, most)

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
  { values }: Pick<LookOrder, 'values'>,
): Looking => {
  const keyed = values.map(({ name, value }) => ({
    key: name,
    value: Buffer.from(value, 'base64'),
  }))
  const finder = createFinder(keyed)
  const masker = createMasker(keyed.map(({ value }) => value))
  const endMs = clock.monotonic() + lookLimitMs
  const places: FoundPlace[] = []
  const unread = new Set<string>()
  const files = new Map<string, readonly FoundLine[]>()
  const mask = (text: string): string => masker.mask(text)
  return {
    engine,
    projects,
    signal,
    counter: createHitCounter(keyed),
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
        ...(container !== undefined && { container: shown(mask, container, 256) }),
        ...(service !== undefined && { service: shown(mask, service, 256) }),
        ...(at !== undefined && { at: shown(mask, at, 4_200) }),
        values: [...found],
      })
    },
    unread: (what) => void unread.add(shown(mask, what, 2_000)),
    isOver: () => {
      if (!signal.aborted && clock.monotonic() < endMs) return false
      unread.add(`the look ended after ${lookLimitMs / 1000} s: not everything was looked through`)
      return true
    },
    answer: () => ({ places, unread: [...unread] }),
  }
}
