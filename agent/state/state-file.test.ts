import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../src/kernel/log.ts'
import { changeDeployment, openStateFile, putAsideDamaged } from './state-file.ts'

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

  it('knows of each project that a stagelet had, by whatever way it went, its folder and the volumes that were there before', async () => {
    const path = join(folder, 'state.json')
    const file = await openStateFile(path)
    const record = { ...deployment, directory: '/srv/p', foundVolumes: ['p_theirs'] }
    await file.set('one', record)
    await file.set('two', { ...record, project: 'q' })
    await file.forget('one')
    await file.set('two', { ...record, project: 'r' })
    await file.forget('nobody')
    const again = await openStateFile(path)
    const left = { directory: '/srv/p', foundVolumes: ['p_theirs'] }
    expect(['p', 'q', 'r'].map((project) => again.leftOf(project))).toEqual([left, left, undefined])
    expect(again.leftOf('constructor')).toBeUndefined()
  })

  it('writes what a full disk has refused as soon as there is room, also where nothing is new', async () => {
    const path = join(folder, 'below', 'state.json')
    const file = await openStateFile(path)
    await rm(join(folder, 'below'), { recursive: true, force: true })
    await writeFile(join(folder, 'below'), 'in the way, as a disk without room would be')
    await expect(file.set('one', deployment)).rejects.toThrow(
      /cannot write .*state\.json, and changes nothing without it .*: make room on its disk/,
    )
    await rm(join(folder, 'below'))
    await file.set('one', deployment)
    expect((await openStateFile(path)).get('one')).toEqual(deployment)
  })

  it('remembers over a restart what was healed, so that what flaps is not healed five times anew', async () => {
    const path = join(folder, 'state.json')
    const file = await openStateFile(path)
    await file.set('one', deployment)
    const heals = [{ service: 'web', atMs: 1_700_000_000_000 }]
    await changeDeployment(file, 'one', { heals })
    // Of a stack that was never deployed there is nothing to come back to.
    await changeDeployment(file, 'two', { heals })
    const again = await openStateFile(path)
    expect(again.get('one')).toEqual({ ...deployment, heals })
    expect(again.get('two')).toBeUndefined()
  })

  it('refuses what a newer agent wrote, and leaves it as it is', async () => {
    const path = join(folder, 'state.json')
    const newer = '{"version": 9, "stagelets": {}}'
    await writeFile(path, newer)
    const expected = /state\.json .*\(version 9\): update this agent/
    await expect(putAsideDamaged(path, silentLogger)).rejects.toThrow(expected)
    await expect(openStateFile(path)).rejects.toThrow(expected)
    expect(await readFile(path, 'utf8')).toBe(newer)
  })

  it.each(['', '{"version": 1, "stagelets": {"one": {"proj', 'null', '{"version": 1}', '"\0\0'])(
    'begins anew where it is damaged, as %j, keeps that aside and says so',
    async (damaged) => {
      const path = join(folder, 'state.json')
      await writeFile(path, damaged)
      const said: string[] = []
      const log = { ...silentLogger, warn: (_: object, message: string) => said.push(message) }
      await expect(openStateFile(path)).rejects.toThrow(/is damaged/)
      await putAsideDamaged(path, log)
      const file = await openStateFile(path)
      expect(file.uids()).toEqual([])
      expect(said).toEqual([expect.stringMatching(/state\.json\.damaged.*adopts what runs/)])
      expect(await readFile(`${path}.damaged`, 'utf8')).toBe(damaged)
      await file.set('one', deployment)
      expect((await openStateFile(path)).get('one')).toEqual(deployment)
    },
  )
})
