import { expect, test } from 'vitest'
import { silentLogger } from '../../src/kernel/log.ts'
import type { DesiredStagelet } from '../../src/protocol/messages.ts'
import { aDesired } from '../../test/support/builders.ts'
import { createDesiredState, type DesiredState, type HeldBundle } from './desired.ts'

const anItem = (tweak: Partial<DesiredStagelet> = {}): DesiredStagelet =>
  aDesired({ uid: 's1', namespace: 'team', projectUid: 'p1', order: 1, ...tweak })
const aBundle = (revision: number, tweak: Partial<HeldBundle> = {}): HeldBundle => ({
  projectUid: 'p1',
  stageletUid: 's1',
  epoch: 1,
  revision,
  entries: [
    {
      secretId: 'x',
      name: 'k.global',
      version: revision,
      key: 'K',
      scope: 'global',
      type: 'env',
      bytes: 1,
      valueDigest: `d${revision}`,
      value: Buffer.from(String(revision)),
    },
  ],
  ...tweak,
})

const aState = (): { state: DesiredState; reports: string[] } => {
  const reports: string[] = []
  const state = createDesiredState(
    {
      setDesired: (item, entries, ...others) => {
        const back = others
          .filter((other) => other !== undefined)
          .map((other) => ` or ${other.map((e) => e.value.toString()).join()}`)
          .join('')
        const values = entries.map((e) => e.value.toString()).join()
        reports.push(`${item.uid} r${item.revision} ${values}${back}${item.release ?? ''}`)
      },
      forget: (uid) => reports.push(`forget ${uid}`),
    },
    silentLogger,
  )
  return { state, reports }
}

test('an item goes on with the bundle of its very revision, whichever comes first', () => {
  const { state, reports } = aState()
  state.takeBundle(aBundle(1))
  state.takeAll([anItem()])
  state.takeItem(anItem({ revision: 2 }))
  expect(reports).toEqual(['s1 r1 1'])
  state.takeBundle(aBundle(2))
  expect(reports).toEqual(['s1 r1 1', 's1 r2 2'])
  expect(state.holds()).toEqual([{ projectUid: 'p1', stageletUid: 's1', epoch: 1, revision: 2 }])
})

test('revision 0 needs no bundle', () => {
  const { state, reports } = aState()
  state.takeAll([anItem({ revision: 0 })])
  expect(reports).toEqual(['s1 r0 '])
})

test('an older order is refused, whatever revision it names, and so is an old epoch', () => {
  const { state, reports } = aState()
  state.takeBundle(aBundle(5, { epoch: 2 }))
  state.takeBundle(aBundle(4, { epoch: 2 }))
  state.takeAll([anItem({ epoch: 2, order: 70, revision: 5, healthyRevision: 4 })])
  expect(reports).toEqual(['s1 r5 5 or 4'])
  reports.length = 0
  state.takeItem(anItem({ epoch: 2, order: 69, revision: 4 }))
  state.takeItem(anItem({ epoch: 2, order: 69, revision: 0 }))
  state.takeItem(anItem({ epoch: 1, order: 99, revision: 5 }))
  expect(reports).toEqual([])
  state.takeBundle(aBundle(1, { epoch: 3 }))
  state.takeItem(anItem({ epoch: 3, order: 1, revision: 1 }))
  expect(reports).toEqual(['s1 r1 1'])
})

test('a newer order takes back to an older revision, whose bundle was kept for that', () => {
  const { state, reports } = aState()
  state.takeBundle(aBundle(4))
  state.takeAll([anItem({ revision: 4, healthyRevision: 4 })])
  state.takeBundle(aBundle(5))
  state.takeItem(anItem({ order: 2, revision: 5, healthyRevision: 4 }))
  state.takeItem(anItem({ order: 3, revision: 4, healthyRevision: 4 }))
  expect(reports).toEqual(['s1 r4 4 or 4', 's1 r5 5 or 4', 's1 r4 4 or 4'])
  expect(state.holds()).toEqual([{ projectUid: 'p1', stageletUid: 's1', epoch: 1, revision: 4 }])
})

test('the bundle of the revision before is kept while an item names it', () => {
  const { state, reports } = aState()
  for (const revision of [2, 3]) state.takeBundle(aBundle(revision))
  state.takeAll([anItem({ revision: 3, healthyRevision: 2 })])
  state.takeItem(anItem({ order: 2, revision: 4, healthyRevision: 2, previousRevision: 3 }))
  state.takeBundle(aBundle(4))
  expect(reports).toEqual(['s1 r3 3 or 2', 's1 r4 4 or 2 or 3'])
  expect(state.holds().map((held) => held.revision)).toEqual([2, 3, 4])
  // An earlier controller does not name it.
  state.takeItem(anItem({ order: 3, revision: 4, healthyRevision: 2 }))
  expect(reports.at(-1)).toBe('s1 r4 4 or 2')
  expect(state.holds().map((held) => held.revision)).toEqual([2, 4])
})

test('a revision of another project has a bundle of its own, and that of the former one is dropped', () => {
  const { state, reports } = aState()
  state.takeBundle(aBundle(1))
  state.takeAll([anItem()])
  state.takeItem(anItem({ order: 2, projectUid: 'p2' }))
  expect(reports).toEqual(['s1 r1 1'])
  const [entry] = aBundle(1).entries
  state.takeBundle(
    aBundle(1, { projectUid: 'p2', entries: [{ ...entry!, value: Buffer.from('of p2') }] }),
  )
  expect(reports).toEqual(['s1 r1 1', 's1 r1 of p2'])
  expect(state.holds()).toEqual([{ projectUid: 'p2', stageletUid: 's1', epoch: 1, revision: 1 }])
})

test('there is nothing to go back to while that bundle is missing, and an empty set for revision 0', () => {
  const { state, reports } = aState()
  state.takeBundle(aBundle(5))
  state.takeAll([anItem({ revision: 5, healthyRevision: 4 })])
  state.takeItem(anItem({ order: 2, revision: 5, healthyRevision: 0 }))
  expect(reports).toEqual(['s1 r5 5', 's1 r5 5 or '])
})

test('what the whole state does not name is forgotten, its secrets too', () => {
  const { state, reports } = aState()
  state.takeBundle(aBundle(1))
  state.takeBundle(aBundle(1, { stageletUid: 's2' }))
  state.takeAll([anItem(), anItem({ uid: 's2' })])
  state.takeAll([anItem({ uid: 's2' })])
  expect(reports).toEqual(['s1 r1 1', 's2 r1 1', 'forget s1', 's2 r1 1'])
  expect(state.holds()).toEqual([{ projectUid: 'p1', stageletUid: 's2', epoch: 1, revision: 1 }])
  state.remove('s2')
  expect(state.holds()).toEqual([])
})

test('letting go works with whatever is held', () => {
  const { state, reports } = aState()
  state.takeBundle(aBundle(3))
  state.takeAll([anItem({ revision: 3 })])
  state.takeItem(anItem({ revision: 0, epoch: 0, release: 'Down' }))
  expect(reports.at(-1)).toBe('s1 r0 3Down')
})
