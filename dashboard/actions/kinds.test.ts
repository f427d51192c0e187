import { expect, it } from 'vitest'
import { manifestNames, patchOf } from './kinds.ts'

it('names fields as manifests do, and leaves out what is not given', () => {
  expect(
    manifestNames({ secret_policy: { max_age: '90d', exempt: undefined }, paused: false }),
  ).toEqual({ secretPolicy: { maxAge: '90d' }, paused: false })
})

it('changes only the fields that differ, and takes away those that go', () => {
  const before = { description: 'a', rollout: { max: 1, paused: true }, list: ['a'], gone: 1 }
  const after = { description: 'a', rollout: { max: 2 }, list: ['a', 'b'] }
  expect(patchOf(before, after)).toEqual({
    rollout: { max: 2, paused: null },
    list: ['a', 'b'],
    gone: null,
  })
  expect(patchOf(before, before)).toEqual({})
})
