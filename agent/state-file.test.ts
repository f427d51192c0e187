import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStateFile } from './state-file.ts'

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

  it('refuses what it cannot read, and says what to do', async () => {
    await writeFile(join(folder, 'state.json'), '{"version": 9}')
    await expect(openStateFile(join(folder, 'state.json'))).rejects.toThrow(/remove it/)
  })
})
