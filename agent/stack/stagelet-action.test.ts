import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { execProgram } from '../../src/process/exec.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { createStackCell, createStackState } from '../state/stack-state.ts'
import { createStackTarget } from '../state/stack-target.ts'
import { isLeftAtWork } from './stagelet-action.ts'

/** Stays until there is a file of its own name. */
const script = 'while [ ! -e "$0" ]; do sleep 0.1; done'

it('Compose of an agent that died is waited for by name, and no longer than from its own start', async () => {
  const projectName = randomUUID()
  const end = join(tmpdir(), `end-${projectName}`)
  const stays = execProgram({
    file: '/bin/sh',
    args: ['-c', script, end, '-p', projectName, '--progress', 'quiet', 'up'],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    timeoutMs: 30_000,
  })
  const given = { desired: { compose: {} } as never, entries: [], base: {} }
  const changes: string[] = []
  const cell = createStackCell(
    createStackState(createStackTarget(given, undefined, false)),
    ({ waitingFor }) => changes.push(waitingFor.join()),
  )
  const isLeft = (upDeadlineMs: number): Promise<boolean> =>
    isLeftAtWork({ upDeadlineMs, log: silentLogger }, cell, { projectName })
  await expect.poll(() => isLeft(60_000)).toBe(true)
  expect(changes.at(-1)).toMatch(
    /^Compose \(process \d+\), left at work by an agent before this one$/,
  )
  // However late it is first seen.
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(await isLeft(200)).toBe(false)
  expect(cell.state.waitingFor).toEqual([])
  expect(await isLeft(60_000)).toBe(true)
  await writeFile(end, '')
  await stays
  await rm(end)
  expect(await isLeft(60_000)).toBe(false)
})
