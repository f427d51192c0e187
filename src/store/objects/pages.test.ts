import { expect, it } from 'vitest'
import { pageNow } from './pages.ts'
import { objectRow, type StoredRow } from '../state/rows.ts'
import { StoreState } from '../state/state.ts'

const secretOf = (project: string, name: string): StoredRow => {
  const ref = { kind: 'StagelySecret', namespace: 'team', name }
  const spec = { projectRef: { name: project }, key: 'A' }
  const text = JSON.stringify({ ...ref, metadata: { name, namespace: 'team' }, spec })
  return objectRow(ref, { uid: name, rv: 1, source: 'api', text })
}

it('looks into no object of another project for a page of one', () => {
  const state = new StoreState({ rv: 1, epoch: 1 })
  const others = Array.from({ length: 50 }, (_, i) => secretOf('big', `other-${i}`))
  const own = ['c', 'a', 'b'].map((name) => secretOf('small', name))
  state.load([...others, ...own])
  const place = { namespace: 'team', project: 'small' }
  const first = pageNow(state, 'StagelySecret', { ...place, limit: 2 })
  expect(first.items.map(({ object }) => object.metadata.name)).toEqual(['a', 'b'])
  expect(first.remaining).toBe(1)
  const after = { namespace: 'team', name: 'b' }
  const last = pageNow(state, 'StagelySecret', { ...place, after, limit: 2 })
  expect(last.items.map(({ object }) => object.metadata.name)).toEqual(['c'])
  expect(others.filter(({ kept }) => kept !== undefined)).toEqual([])
})
