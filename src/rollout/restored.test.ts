import { describe, expect, it } from 'vitest'
import { firstDelivered, heldOtherwise } from './restored.ts'

describe('what is delivered after a restore', () => {
  it('begins at the newest of the revisions that the Rotations of a project name', () => {
    const revisions = { closed: 7, closesAt: undefined }
    expect(firstDelivered([], revisions)).toBe(0)
    expect(firstDelivered([5, 7], revisions)).toBe(7)
    expect(firstDelivered([5, Infinity], revisions)).toBe(Infinity)
  })

  it('waits for the close of the revision that has the new credential', () => {
    expect(firstDelivered([8], { closed: 7, closesAt: 1 })).toBe(8)
  })

  it('is not held by a revision that the project does not have: it is of another one', () => {
    expect(firstDelivered([8], { closed: 7, closesAt: undefined })).toBe(0)
    expect(firstDelivered([5, 9], { closed: 7, closesAt: 1 })).toBe(5)
    expect(firstDelivered([Infinity], { closed: 0, closesAt: undefined })).toBe(Infinity)
  })
})

describe('the change of a Rotation', () => {
  it('concerns its project where it lets through another revision', () => {
    const held = { project: 'shop', from: Infinity }
    expect(heldOtherwise(undefined, held)).toEqual(['shop'])
    expect(heldOtherwise(held, { ...held, from: 0 })).toEqual(['shop'])
    expect(heldOtherwise(held, undefined)).toEqual(['shop'])
    expect(heldOtherwise(held, held)).toEqual([])
    expect(heldOtherwise(undefined, { ...held, from: 0 })).toEqual([])
  })

  it('concerns the project of before too, where the Rotation holds and goes to another one', () => {
    const holdFrom = (project: string, from: number) => ({ project, from })
    expect(heldOtherwise(holdFrom('shop', Infinity), holdFrom('blog', Infinity))).toEqual([
      'shop',
      'blog',
    ])
    expect(heldOtherwise(holdFrom('shop', 0), holdFrom('blog', 0))).toEqual([])
  })
})
