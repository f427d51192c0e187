import { describe, expect, it } from 'vitest'
import { findManualTarget, type ManualTarget } from './find.ts'

const target = (name: string, directory: string): ManualTarget => ({
  name,
  directory,
  run: () => Promise.resolve(0),
})
const targets = [
  target('team-a/shop', '/nowhere/shop'),
  target('team-a/inner', '/nowhere/shop/inner'),
  target('team-b/shop', '/nowhere/other'),
  target('team-b/twin', '/nowhere/other'),
]
const find = (given: { stagelet?: string; directory?: string }): Promise<string> =>
  findManualTarget(targets, { directory: '/nowhere', ...given }).then(({ name }) => name)

describe('the stagelet that a person means', () => {
  it('is that of the nearest folder up', async () => {
    expect(await find({ directory: '/nowhere/shop' })).toBe('team-a/shop')
    expect(await find({ directory: '/nowhere/shop/src' })).toBe('team-a/shop')
    expect(await find({ directory: '/nowhere/shop/inner/src' })).toBe('team-a/inner')
  })

  it('is the one that is named, wherever the person is', async () => {
    expect(await find({ stagelet: 'team-b/shop' })).toBe('team-b/shop')
    expect(await find({ stagelet: 'inner' })).toBe('team-a/inner')
  })

  it('is not guessed: those that there are are listed', async () => {
    await expect(find({ directory: '/nowhere/shopping' })).rejects.toThrow(
      /no stagelet of this agent is in \/nowhere\/shopping; this agent runs:\n {2}team-a\/inner/,
    )
    await expect(find({ directory: '/nowhere/other' })).rejects.toThrow(
      'more than one stagelet is in /nowhere/other: choose one with --stagelet NAMESPACE/NAME; this agent runs:\n  team-b/shop  /nowhere/other\n  team-b/twin  /nowhere/other',
    )
    await expect(find({ stagelet: 'shop' })).rejects.toThrow(
      /more than one stagelet is called shop/,
    )
    await expect(findManualTarget([], { directory: '/' })).rejects.toThrow(/runs no stagelet now/)
  })
})
