import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { noState } from '../../test/support/agents/no-state.ts'
import { forStack } from '../../test/support/agents/allowed-folders.ts'
import { readModel, type PassDeps } from '../stack/stagelet-observe.ts'
import type { StackState } from '../state/stack-state.ts'
import type { Deployment } from '../state/state-file.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'stagely-links-'))
  await mkdir(join(root, 'shop/releases/42/sub'), { recursive: true })
  await mkdir(join(root, 'shop/releases/41'))
  await symlink('releases/42', join(root, 'shop/current'))
  await symlink('shop/current', join(root, 'by-link'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

/** What a pass says of a stack, beside one that is deployed from shop/current. */
const faultOf = async (
  compose: { readonly directory: string; readonly copyOf?: string },
  more: { readonly deployed?: string; readonly release?: 'Down' } = {},
): Promise<string> => {
  const at = (path: string): string => join(root, path)
  const of = (directory: string) => ({ project: 'p', directory: at(directory) }) as Deployment
  const known = new Map([['production', of('shop/current')]])
  if (more.deployed !== undefined) known.set('mine', of(more.deployed))
  const deps = {
    stateFile: { ...noState, get: (uid: string) => known.get(uid), uids: () => [...known.keys()] },
    models: { read: () => Promise.resolve({ model: { missingVariables: [], uses: new Map() } }) },
  } as unknown as PassDeps
  const spec = Object.fromEntries(Object.entries(compose).map(([key, path]) => [key, at(path)]))
  const desired = { uid: 'mine', name: 'pr', compose: spec, release: more.release }
  const target = {
    ...forStack,
    desired,
    entries: [],
    globals: {},
    base: {},
    mask: (t: string) => t,
  }
  const { fault } = await readModel(deps, { target } as unknown as StackState)
  return fault === undefined ? 'none' : `${fault.reason}: ${fault.message}`
}

it('no stack runs or copies the folder of another one that it names by a link, or past one', async () => {
  const linked = /^DirectoryNotAllowed: .* by a link to the folder of another stack/
  for (const directory of ['shop/releases/42', 'shop/releases/42/sub', 'shop/releases', 'by-link'])
    expect(await faultOf({ directory }), directory).toMatch(linked)
  expect(await faultOf({ directory: 'copy', copyOf: 'shop/releases/42' })).toMatch(linked)
  expect(await faultOf({ directory: 'by-link' }, { deployed: 'elsewhere' })).toMatch(linked)
})

it('what the controller has judged by its name runs, and so does what was deployed before', async () => {
  for (const directory of ['shop/current', 'shop/current/sub', 'shop', 'shop/releases/41', 'copy'])
    expect(await faultOf({ directory }), directory).toBe('none')
  expect(await faultOf({ directory: 'by-link' }, { deployed: 'by-link' })).toBe('none')
  expect(await faultOf({ directory: 'by-link' }, { release: 'Down' })).toBe('none')
})
