// Objects of one kind, kept up to date by the stream. A list is read while events go on coming: these are
// applied again over the list, so that both orders converge. What is shown changes once in a frame.
import { batch, computed, signal, type ReadonlySignal, type Signal } from '@preact/signals'
import { now } from '../api/clock.ts'
import type { Failure, Known } from './known.ts'

export interface HasId {
  readonly id: string
}

export interface Change<T> {
  readonly action: 'added' | 'modified' | 'deleted'
  readonly object: T
}

/** Reads all pages; gives each to `onPage` as it comes. */
export type ReadAll<T> = (
  onPage: (rows: readonly T[]) => void,
  signal: AbortSignal,
) => Promise<void>

export interface Collection<T extends HasId> {
  /** All of them, in no order. A new array after each frame that changed one. */
  readonly list: ReadonlySignal<Known<readonly T[]>>
  /** The list is being read now: another read would end that one. */
  readonly isReading: () => boolean
  /** One object. Only what shows it is drawn again when it changes. */
  readonly cell: (id: string) => ReadonlySignal<T | undefined>
  /** An event of the stream. */
  readonly take: (change: Change<T>) => void
  /** Reads the list again. What is shown stays until then. */
  readonly refresh: () => Promise<void>
}

/** Calls `run` in the next frame, and never twice in one. A page that is not seen has no frames. */
export type Schedule = (run: () => void) => void

export const nextFrame: Schedule = (run) => {
  if (document.hidden) setTimeout(run, 250)
  else requestAnimationFrame(run)
}

/** What is known, and what is shown of it from the next frame on. */
const createShown = <T extends HasId>(schedule: Schedule) => {
  const rows = signal<readonly T[]>([])
  const cells = new Map<string, Signal<T | undefined>>()
  let objects = new Map<string, T>()
  let touched = new Set<string>()
  let isScheduled = false
  const show = (): void => {
    isScheduled = false
    batch(() => {
      rows.value = [...objects.values()]
      for (const id of touched) {
        const cell = cells.get(id)
        if (cell !== undefined) cell.value = objects.get(id)
      }
    })
    touched = new Set()
  }
  const showSoon = (): void => {
    if (isScheduled) return
    isScheduled = true
    schedule(show)
  }
  return {
    rows,
    has: (id: string) => objects.has(id),
    change: (change: Change<T>): void => {
      apply(objects, change)
      touched.add(change.object.id)
      showSoon()
    },
    replace: (next: Map<string, T>): void => {
      for (const id of [...objects.keys(), ...next.keys()]) touched.add(id)
      objects = next
      show()
    },
    cell: (id: string): ReadonlySignal<T | undefined> => {
      let cell = cells.get(id)
      if (cell === undefined) cells.set(id, (cell = signal(objects.get(id))))
      return cell
    },
  }
}

const apply = <T extends HasId>(into: Map<string, T>, { action, object }: Change<T>): void => {
  if (action === 'deleted') into.delete(object.id)
  else into.set(object.id, object)
}

export const createCollection = <T extends HasId>(
  readAll: ReadAll<T>,
  schedule: Schedule = nextFrame,
): Collection<T> => {
  const shown = createShown<T>(schedule)
  const isWhole = signal(false)
  const failure = signal<Failure | undefined>(undefined)
  let reading: { readonly since: Change<T>[]; readonly abort: AbortController } | undefined

  const refresh = async (): Promise<void> => {
    reading?.abort.abort()
    const mine = { since: [] as Change<T>[], abort: new AbortController() }
    reading = mine
    const next = new Map<string, T>()
    const isFirst = !isWhole.peek()
    /** The first rows are shown while the rest is read; a list that is shown already is not shortened. */
    const showPage = (page: readonly T[]): void => {
      const changed = new Set(mine.since.map(({ object }) => object.id))
      for (const object of page)
        if (!shown.has(object.id) && !changed.has(object.id))
          shown.change({ action: 'added', object })
    }
    try {
      await readAll((page) => {
        for (const row of page) next.set(row.id, row)
        if (isFirst && reading === mine) showPage(page)
      }, mine.abort.signal)
      if (reading !== mine) return
      for (const change of mine.since) apply(next, change)
      reading = undefined
      // In one: a list that is read and shows no row yet would look as if there were none.
      batch(() => {
        shown.replace(next)
        isWhole.value = true
        failure.value = undefined
      })
    } catch (reason) {
      if (reading !== mine) return
      reading = undefined
      const since = failure.peek()?.since ?? now()
      failure.value = { error: reason, since, retry: () => void refresh() }
    }
  }
  return {
    list: computed((): Known<readonly T[]> => {
      const failed = failure.value === undefined ? {} : { failure: failure.value }
      if (isWhole.value) return { state: 'known', value: shown.rows.value, ...failed }
      const part = shown.rows.value
      return failed.failure === undefined
        ? { state: 'loading', part }
        : { state: 'failed', failure: failed.failure, part }
    }),
    isReading: () => reading !== undefined,
    cell: shown.cell,
    take: (change) => {
      reading?.since.push(change)
      shown.change(change)
    },
    refresh,
  }
}
