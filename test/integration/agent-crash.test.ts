// Cut off in the middle: Compose killed, the loop gone and started again. One look, and it converges.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '../../src/kernel/clock.ts'
import { renderOverride } from '../../src/compose/override.ts'
import { composeAt } from '../support/docker/compose-at.ts'
import {
  desiredFor,
  digestFor,
  environmentFor,
  held,
  startMachine,
  type Machine,
} from '../support/docker/docker.ts'
import { findUps } from '../support/docker/compose-ups.ts'
import { containersOfProject } from '../support/docker/engine-api.ts'
import { createStack, idleService, onHost, testImage, type Stack } from '../support/docker/stack.ts'

const names = ['one', 'two', 'three', 'four']
const compose = `services:\n${names.map((n) => idleService(n)).join('')}`

const killGroups = (pids: readonly number[], signal: NodeJS.Signals): void => {
  for (const pid of pids) {
    try {
      process.kill(-pid, signal)
    } catch {
      // It was faster.
    }
  }
}

/** Of all containers of the stack, sorted. */
const namesIn = async (stack: Stack): Promise<string[]> => {
  const listed = await containersOfProject(stack.project)
  return listed.map(({ Names: [name = ''] }) => name.slice(1)).sort()
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

  /** On a busy machine `up` may have come and gone between two looks. */
  const killAfter = async (
    rolled: Promise<unknown>,
    ms: number,
    signal: NodeJS.Signals = 'SIGKILL',
  ): Promise<void> => {
    let isOver = false
    const end = (): void => void (isOver = true)
    rolled.then(end, end)
    let pids: number[] = []
    while (pids.length === 0 && !isOver) {
      pids = await findUps(stack.project)
      await realClock.sleep(10)
    }
    await realClock.sleep(ms)
    killGroups(pids, signal)
  }
  const expectRight = async (value: string): Promise<void> => {
    const digest = digestFor('one', [held('TOKEN', value)])
    const containers = await stack.containers()
    expect(Object.keys(containers).sort()).toEqual([...names].sort())
    for (const name of names) {
      expect(containers[name]?.label).toBe(digest)
      expect((await stack.environmentOf(name))['TOKEN']).toBe(value)
    }
    expect(await namesIn(stack)).toEqual(names.map((n) => `${stack.project}-${n}-1`).sort())
  }

  it.each<[NodeJS.Signals, number]>([
    ['SIGKILL', 100],
    ['SIGKILL', 700],
  ])('converges when Compose gets %s %i ms into up', async (signal, ms) => {
    const value = `value-${signal}-${ms}`
    const rolled = machine.roll([held('TOKEN', value)])
    await killAfter(rolled, ms, signal)
    await rolled
    await expectRight(value)
  })

  it('finishes the first deployment when everything died in its middle', async () => {
    await stack.compose('down', '-t', '1')
    await machine.stop()
    await rm(join(dataDir, 'state.json'))
    machine = await startMachine(stack, { dataDir })
    const rolled = machine.roll([held('TOKEN', 'value-new')])
    await killAfter(rolled, 500)
    await machine.stop()
    machine = await startMachine(stack, { dataDir })
    await machine.roll([held('TOKEN', 'value-new')])
    await expectRight('value-new')
  })
})

/** Between the making of a container, under a temporary name, and the end of the one before it. */
describe('in the middle of a re-creation', () => {
  const slow = `services:
  slow:
    image: ${testImage}
${onHost('slow')}    command: ["sleep", "1000"]
    stop_grace_period: 2s
`
  let stack: Stack
  let machine: Machine
  let dataDir: string

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'stagely-agent-'))
    stack = await createStack(slow)
    machine = await startMachine(stack, { dataDir })
    await machine.roll([held('TOKEN', 'first')])
  })
  afterAll(async () => {
    await machine?.stop()
    await stack?.remove()
    await rm(dataDir, { recursive: true, force: true })
  })

  const halfWay = async (): Promise<void> => {
    const isHalf = (name: string): boolean => /^[0-9a-f]{12}_/.test(name)
    await expect
      .poll(async () => (await namesIn(stack)).filter(isHalf), { interval: 20 })
      .toHaveLength(1)
  }
  /** By one action that nothing fails in. */
  const expectPutRight = async (value: string): Promise<void> => {
    await machine.roll([held('TOKEN', value)])
    expect(machine.reports.filter((r) => r.phase === 'Failed')).toEqual([])
    expect(await namesIn(stack)).toEqual([`${stack.project}-slow-1`])
    expect((await stack.environmentOf('slow'))['TOKEN']).toBe(value)
  }

  // SIGTERM is no gentler: Compose leaves the same behind.
  it.each<[NodeJS.Signals, number]>([
    ['SIGKILL', 8],
    ['SIGTERM', 9],
  ])(
    'what Compose leaves behind at %s is cleared away before it is called again',
    async (signal, revision) => {
      machine.loop.setDesired(desiredFor(stack, { revision }), [held('TOKEN', signal)])
      await halfWay()
      killGroups(await findUps(stack.project), signal)
      await machine.until((r) => r.phase === 'Failed')
      expect(await namesIn(stack)).toEqual([`${stack.project}-slow-1`])
      await machine.until((r) => r.phase === 'Settled' && r.revision === revision)
      expect((await stack.environmentOf('slow'))['TOKEN']).toBe(signal)
    },
  )

  /** As an agent does that has died since. */
  const upAlone = async (value: string): Promise<unknown> => {
    const entry = held('TOKEN', value)
    const [env, digest] = [await environmentFor(), digestFor('slow', [entry])]
    return (await composeAt()).run({
      flags: ['-f', 'docker-compose.yml', '-f', '-', '-p', stack.project, '--progress', 'quiet'],
      verb: ['up', '-d'],
      cwd: stack.directory,
      env,
      mask: (text) => text,
      stdin: renderOverride([{ service: 'slow', digest, entries: [entry], mounts: [] }]),
    })
  }

  it('what Compose left behind, killed with its agent, is cleared away by the next agent', async () => {
    await machine.stop()
    const killed = upAlone('killed').catch(() => 'killed')
    await halfWay()
    killGroups(await findUps(stack.project), 'SIGKILL')
    expect(await killed).toBe('killed')
    await halfWay()
    machine = await startMachine(stack, { dataDir })
    await expectPutRight('killed')
  })

  it('what Compose finishes after its agent has died is not disturbed by the next one', async () => {
    await machine.stop()
    const left = upAlone('last')
    await halfWay()
    machine = await startMachine(stack, { dataDir })
    await expectPutRight('last')
    // Rejects where Compose failed.
    await left
    expect(machine.reports.filter((r) => r.phase === 'Applying')).toEqual([])
  })
})
