// Cut off in the middle: Compose killed, the loop gone and started again. One look, and it converges.
import { readdir, readFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '../../src/kernel/clock.ts'
import { desiredFor, digestFor, held, startMachine, type Machine } from '../support/docker.ts'
import { createStack, idleService, type Stack } from '../support/stack.ts'

const names = ['one', 'two', 'three', 'four']
const compose = `services:\n${names.map((n) => idleService(n)).join('')}`

/** Pids of `up` on this project, ours and no one else's: its random name is in their arguments. */
const findUps = async (project: string): Promise<number[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  )
  return pids
    .filter((_, i) => lines[i]!.includes(project) && lines[i]!.includes('\0up\0'))
    .map(Number)
}

describe('after an interruption', () => {
  let stack: Stack
  let machine: Machine
  let dataDir: string

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'stagely-agent-'))
    stack = await createStack(compose)
    machine = await startMachine(stack, { dataDir })
    await machine.roll([held('TOKEN', 'value-0')])
  })
  afterAll(async () => {
    await machine?.stop()
    await stack?.remove()
    await rm(dataDir, { recursive: true, force: true })
  })

  const killAfter = async (ms: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    let pids: number[] = []
    while (pids.length === 0) pids = await findUps(stack.project)
    await realClock.sleep(ms)
    for (const pid of pids) {
      try {
        process.kill(-pid, signal)
      } catch {
        // It was faster.
      }
    }
  }
  const expectRight = async (value: string): Promise<void> => {
    const digest = digestFor('one', [held('TOKEN', value)])
    const containers = await stack.containers()
    expect(Object.keys(containers).sort()).toEqual([...names].sort())
    for (const name of names) {
      expect(containers[name]?.label).toBe(digest)
      expect((await stack.environmentOf(name))['TOKEN']).toBe(value)
    }
    const listed = await stack.docker(
      'ps',
      '-a',
      '--format',
      '{{.Names}}',
      '--filter',
      `label=com.docker.compose.project=${stack.project}`,
    )
    expect(listed.trim().split('\n').sort()).toEqual(
      names.map((n) => `${stack.project}-${n}-1`).sort(),
    )
  }

  it.each<[NodeJS.Signals, number]>([
    ['SIGKILL', 100],
    ['SIGKILL', 350],
    ['SIGKILL', 700],
    // No gentler: Compose leaves the same behind.
    ['SIGTERM', 350],
  ])('converges when Compose gets %s %i ms into up', async (signal, ms) => {
    const value = `value-${signal}-${ms}`
    const rolled = machine.roll([held('TOKEN', value)])
    await killAfter(ms, signal)
    await rolled
    await expectRight(value)
  })

  it('finishes the first deployment when everything died in its middle', async () => {
    await stack.docker('compose', '-p', stack.project, 'down', '-t', '1')
    await machine.stop()
    await rm(join(dataDir, 'state.json'))
    machine = await startMachine(stack, { dataDir })
    machine.loop.want(desiredFor(stack, { revision: 1 }), [held('TOKEN', 'value-new')])
    await killAfter(500)
    await machine.stop()
    machine = await startMachine(stack, { dataDir })
    await machine.roll([held('TOKEN', 'value-new')])
    await expectRight('value-new')
  })
})
