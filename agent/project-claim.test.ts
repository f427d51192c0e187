import { expect, it } from 'vitest'
import { aContainer } from '../test/support/a-container.ts'
import { noState } from '../test/support/no-state.ts'
import { lonelyLocks } from '../test/support/project-locks.ts'
import type { Engine } from './docker/engine.ts'
import { findVolumesOfOthers, type ClaimDeps } from './project-claim.ts'

it('volumes are somebody else’s that were there before, unless this folder had the project', async () => {
  const engine = { listVolumes: () => Promise.resolve(['p_data']) } as unknown as Engine
  const folders = { allowDirs: [], ownDirs: [] }
  const foundAfter = (left?: ReturnType<ClaimDeps['stateFile']['leftOf']>, containers = 0) =>
    findVolumesOfOthers(
      { engine, folders, locks: lonelyLocks(), stateFile: { ...noState, leftOf: () => left } },
      { uid: 'mine', project: 'p', roots: ['/srv/p'] },
      Array.from({ length: containers }, () => aContainer('web', '')),
    )
  expect(await foundAfter()).toEqual(['p_data'])
  expect(await foundAfter(undefined, 1)).toEqual([])
  expect(await foundAfter({ directory: '/srv/p/', foundVolumes: [] })).toEqual([])
  expect(await foundAfter({ directory: '/srv/p', foundVolumes: ['p_old'] })).toEqual(['p_old'])
  expect(await foundAfter({ directory: '/srv/q', foundVolumes: [] })).toEqual(['p_data'])
  // Containers may be those that a stagelet before this one has given somebody else's volumes to.
  expect(await foundAfter({ directory: '/srv/p', foundVolumes: ['p_old'] }, 1)).toEqual(['p_old'])
  expect(await foundAfter({ directory: '/srv/q', foundVolumes: [] }, 1)).toEqual(['p_data'])
})
