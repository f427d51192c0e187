import { expect, it } from 'vitest'
import * as fc from 'fast-check'
import { createCollection, type Change } from './collection.ts'
import { knownFailure, someOf } from './known.ts'

interface Row {
  readonly id: string
  readonly n: number
}

/** Frames that the test draws. */
const frames = () => {
  let waiting: (() => void)[] = []
  return {
    schedule: (run: () => void) => void waiting.push(run),
    draw: () => {
      const now = waiting
      waiting = []
      for (const run of now) run()
      return now.length
    },
  }
}

it('shows all changes of a frame at once', () => {
  const { schedule, draw } = frames()
  const rows = createCollection<Row>(() => Promise.resolve(), schedule)
  const cell = rows.cell('a')
  for (let n = 0; n < 100; n++) rows.take({ action: 'modified', object: { id: 'a', n } })
  expect(someOf(rows.list.value)).toEqual([])
  expect(draw()).toBe(1)
  expect(someOf(rows.list.value)).toEqual([{ id: 'a', n: 99 }])
  expect(cell.value).toEqual({ id: 'a', n: 99 })
})

it('keeps what is shown when the list cannot be read again', async () => {
  const { schedule, draw } = frames()
  let fails = false
  const rows = createCollection<Row>((onPage) => {
    if (fails) return Promise.reject(new Error('no'))
    onPage([{ id: 'a', n: 1 }])
    return Promise.resolve()
  }, schedule)
  await rows.refresh()
  fails = true
  await rows.refresh()
  draw()
  expect(someOf(rows.list.value)).toEqual([{ id: 'a', n: 1 }])
  expect(rows.list.value).toMatchObject({ state: 'known', failure: { error: new Error('no') } })
})

it('never says that there is none before the list was read', async () => {
  const { schedule } = frames()
  let isBroken = true
  const rows = createCollection<Row>(
    () => (isBroken ? Promise.reject(new Error('no')) : Promise.resolve()),
    schedule,
  )
  expect(rows.list.value.state).toBe('loading')
  await rows.refresh()
  const first = rows.list.value
  expect(first.state).toBe('failed')
  await rows.refresh()
  // It counts from when it failed first.
  expect(rows.list.value).toMatchObject({ failure: { since: knownFailure(first)?.since } })
  isBroken = false
  knownFailure(first)?.retry()
  await expect.poll(() => rows.list.value).toEqual({ state: 'known', value: [] })
})

type Step = Change<Row>
const step = (): fc.Arbitrary<Step> =>
  fc.record({
    action: fc.constantFrom('added', 'modified', 'deleted'),
    object: fc.record({ id: fc.constantFrom('a', 'b', 'c'), n: fc.nat(9) }),
  })

const after = (steps: readonly Step[]): Map<string, Row> => {
  const world = new Map<string, Row>()
  for (const { action, object } of steps)
    if (action === 'deleted') world.delete(object.id)
    else world.set(object.id, object)
  return world
}

it('converges, whenever the list is read between the events', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step(), { maxLength: 12 }),
      fc.nat(12),
      fc.nat(12),
      async (steps, a, b) => {
        const { schedule, draw } = frames()
        // The stream began at `begun`; the list was read when `read` steps were done, and came at the end.
        const begun = Math.min(a, b, steps.length)
        const read = Math.min(Math.max(a, b), steps.length)
        let answer: (() => void) | undefined
        const rows = createCollection<Row>(
          (onPage) =>
            new Promise((resolve) => {
              answer = () => {
                onPage([...after(steps.slice(0, read)).values()])
                resolve()
              }
            }),
          schedule,
        )
        const done = rows.refresh()
        for (const step of steps.slice(begun)) rows.take(step)
        answer?.()
        await done
        draw()
        const shown = new Map(someOf(rows.list.value).map((row) => [row.id, row]))
        expect(shown).toEqual(after(steps))
      },
    ),
  )
})
