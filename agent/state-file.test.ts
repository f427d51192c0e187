import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStateFile, saveHeals } from './state-file.ts'

describe('the state file', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stagely-state-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))
  const deployment = { project: 'p', services: ['a'], redeploy: 'x', signature: 's' }

  it('is there after a restart, private, and without a temporary file', async () => {
    const path = join(folder, 'state.json')
    const file = await openStateFile(path)
    await Promise.all([
      file.set('one', deployment),
      file.set('two', deployment),
      file.set('three', deployment),
    ])
    await file.forget('two')
    const again = await openStateFile(path)
    expect(again.uids().sort()).toEqual(['one', 'three'])
    expect(again.get('one')).toEqual(deployment)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['state.json'])
  })

  it('writes what a full disk has refused as soon as there is room, also where nothing is new', async () => {
    const path = join(folder, 'below', 'state.json')
    const file = await openStateFile(path)
    await rm(join(folder, 'below'), { recursive: true, force: true })
    await writeFile(join(folder, 'below'), 'in the way, as a disk without room would be')
    await expect(file.set('one', deployment)).rejects.toThrow()
    await rm(join(folder, 'below'))
    await file.set('one', deployment)
    expect((await openStateFile(path)).get('one')).toEqual(deployment)
  })

  it('remembers over a restart what was healed, so that what flaps is not healed five times anew', async () => {
    const path = join(folder, 'state.json')
    const file = await openStateFile(path)
    await file.set('one', deployment)
    const heals = [{ service: 'web', atMs: 1_700_000_000_000 }]
    await saveHeals(file, 'one', heals)
    // Of a stack that was never deployed there is nothing to come back to.
    await saveHeals(file, 'two', heals)
    const again = await openStateFile(path)
    expect(again.get('one')).toEqual({ ...deployment, heals })
    expect(again.get('two')).toBeUndefined()
  })

  it('refuses what it cannot read, and says what to do', async () => {
    await writeFile(join(folder, 'state.json'), '{"version": 9}')
    await expect(openStateFile(join(folder, 'state.json'))).rejects.toThrow(/remove it/)
  })
})
