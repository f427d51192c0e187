// Somebody changes containers behind the agent's back: it is told with what happened, and healed.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ReportedStagelet } from '../../src/protocol/messages.ts'
import { desiredFor, held, startMachine, type Machine } from '../support/docker/docker.ts'
import {
  createStack,
  idleService,
  recreatedBetween,
  onHost,
  testImage,
  type Stack,
} from '../support/docker/stack.ts'

/** With a secret it is healthy only once the test says so. */
const slow = `  slow:
    image: ${testImage}
${onHost('slow')}    command: ["sh", "-c", "case $$SLOW in '') touch /tmp/ok;; esac; trap 'exit 0' TERM; sleep 2147483 & wait"]
    healthcheck: {test: ["CMD", "test", "-f", "/tmp/ok"], start_period: 60s, start_interval: 500ms, interval: 30s, retries: 1000}
`
/** Crashes by itself when it finds a file. */
const fragile = `  fragile:
    image: ${testImage}
${onHost('fragile')}    command: ["sh", "-c", "rm -f /tmp/crash; trap 'exit 0' TERM; while test ! -f /tmp/crash; do sleep 1 & wait $$!; done; exit 3"]
`
const composeFile = (edit = ''): string =>
  `services:\n${idleService('web')}${idleService('db', edit)}${slow}${fragile}`

describe('containers that are changed by hand', () => {
  let stack: Stack
  let machine: Machine
  let dataDir: string
  let revision = 1
  const entries = [held('TOKEN', 'the-token', 'web')]

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'stagely-agent-'))
    stack = await createStack(composeFile())
    machine = await startMachine(stack, { dataDir })
    await machine.roll(entries)
  })
  afterAll(async () => {
    await machine?.stop()
    await stack?.remove()
    await rm(dataDir, { recursive: true, force: true })
  })

  const toldSince = (from: number, state: string): ReportedStagelet | undefined =>
    machine.reports.slice(from).find((r) => r.drift?.state === state)
  const healed = (r: ReportedStagelet): boolean =>
    r.phase === 'Settled' && r.drift?.state === 'Healed'

  it.each<[what: string, hand: () => Promise<unknown>, service: string]>([
    ['Killed', () => stack.docker('kill', `${stack.project}-db-1`), 'db'],
    ['Removed', () => stack.docker('rm', '-f', `${stack.project}-web-1`), 'web'],
    ['Replaced', () => stack.compose('up', '-d', '-t', '1', 'web'), 'web'],
    ['Stopped', () => stack.docker('stop', '-t', '1', `${stack.project}-web-1`), 'web'],
    [
      'Died',
      () => stack.docker('exec', `${stack.project}-fragile-1`, 'touch', '/tmp/crash'),
      'fragile',
    ],
  ])('are told of as %s, and healed alone', async (what, hand, service) => {
    const before = await stack.containers()
    const from = machine.reports.length
    await hand()
    const startedAt = performance.now()
    await expect.poll(() => toldSince(from, 'Found'), { interval: 20 }).toBeDefined()
    console.info(`${what}: told ${Math.round(performance.now() - startedAt)} ms after the command`)
    expect(toldSince(from, 'Found')?.drift?.changes[0]).toMatchObject({
      service,
      container: `${stack.project}-${service}-1`,
      what,
    })
    await machine.until((r) => machine.reports.length > from && healed(r), 30_000)
    const after = await stack.containers()
    expect(recreatedBetween(before, after)).toEqual([service])
    expect((await stack.environmentOf('web'))['TOKEN']).toBe('the-token')
  })

  it('are no fault of a revision that is just judged: it is not taken back', async () => {
    const next = [...entries, held('SLOW', 'for the slow one', 'slow')]
    const from = machine.reports.length
    revision++
    const desired = desiredFor(stack, { revision, healthyRevision: revision - 1 })
    machine.loop.setDesired(desired, next, entries)
    await machine.until((r) => r.revision === revision && r.phase === 'Gating')
    await stack.docker('stop', '-t', '1', `${stack.project}-slow-1`)
    await machine.until((r) => r.revision === revision && r.phase === 'Failed')
    expect(machine.reports.at(-1)?.rollout?.message).toMatch(
      /slow: container \S+-slow-1 was (stopped|killed) from outside/,
    )
    await machine.until((r) => r.revision === revision && r.phase === 'Gating')
    await stack.docker('exec', `${stack.project}-slow-1`, 'touch', '/tmp/ok')
    await machine.until((r) => r.revision === revision && r.phase === 'Settled')
    expect(machine.reports.slice(from).flatMap((r) => r.quarantine ?? [])).toEqual([])
    expect((await stack.environmentOf('slow'))['SLOW']).toBe('for the slow one')
    revision++
    machine.loop.setDesired(desiredFor(stack, { revision }), entries)
    await machine.until((r) => r.revision === revision && r.phase === 'Settled')
  })

  it('and that are paused are named, and no value is taken back for it', async () => {
    const from = machine.reports.length
    const slowOf = (r: ReportedStagelet) => r.services.find((s) => s.name === 'slow')
    revision++
    const desired = desiredFor(stack, { revision, healthyRevision: revision - 1 })
    machine.loop.setDesired(desired, [...entries, held('SLOW', 'paused with', 'slow')], entries)
    await machine.until((r) => r.revision === revision && r.phase === 'Gating')
    // The engine calls what is paused unhealthy, and what goes on as well until its next check.
    await stack.docker('pause', `${stack.project}-slow-1`)
    await machine.until((r) => r.waitingFor?.includes('slow: paused') === true)
    await stack.docker('unpause', `${stack.project}-slow-1`)
    await machine.until((r) => r.waitingFor?.includes('slow: health check starting') === true)
    await stack.docker('exec', `${stack.project}-slow-1`, 'touch', '/tmp/ok')
    await machine.until((r) => r.revision === revision && r.phase === 'Settled')
    expect((await stack.environmentOf('slow'))['SLOW']).toBe('paused with')
    expect(machine.reports.slice(from).flatMap((r) => r.quarantine ?? [])).toEqual([])
    // Later as well.
    await stack.docker('pause', `${stack.project}-slow-1`)
    await machine.until((r) => r.phase === 'Settled' && slowOf(r)?.state === 'paused')
    expect(slowOf(machine.reports.at(-1)!)?.detail).toMatch(
      /container \S+-slow-1 is paused; "docker unpause \S+-slow-1" lets it go on/,
    )
    await stack.docker('unpause', `${stack.project}-slow-1`)
    await machine.until((r) => r.phase === 'Settled' && slowOf(r)?.health === 'healthy')
    expect(slowOf(machine.reports.at(-1)!)?.detail).toBeUndefined()
    revision++
    machine.loop.setDesired(desiredFor(stack, { revision }), entries)
    await machine.until((r) => r.revision === revision && r.phase === 'Settled')
  })

  it('may have rolled edits out, which are then no longer pending', async () => {
    await stack.write(composeFile('    environment: {EDIT: "1"}\n'))
    machine.loop.schedule()
    await machine.until((r) => r.pendingEdits.join() === 'db')
    await stack.compose('up', '-d', '-t', '1')
    await machine.until((r) => r.phase === 'Settled' && r.pendingEdits.length === 0)
    expect((await stack.environmentOf('db'))['EDIT']).toBe('1')
    expect((await stack.environmentOf('web'))['TOKEN']).toBe('the-token')
  })

  it('are only told of while the stagelet is paused', async () => {
    machine.loop.setDesired(desiredFor(stack, { paused: true, revision }), entries)
    await machine.until((r) => r.phase === 'Paused')
    const from = machine.reports.length
    await stack.docker('kill', `${stack.project}-db-1`)
    await machine.until(
      (r) => machine.reports.length > from && r.phase === 'Paused' && r.drift?.state === 'Found',
    )
    machine.loop.setDesired(desiredFor(stack, { revision }), entries)
    await machine.until(
      (r) => r.phase === 'Settled' && r.services.every((s) => s.state === 'running'),
    )
  })

  it.each([['stop'], ['down']])(
    'stay down when the whole stack was taken %s, until a deploy is asked for',
    async (verb) => {
      const from = machine.reports.length
      await stack.compose(verb, '-t', '1')
      await machine.until((r) => machine.reports.length > from && r.drift?.state === 'Held')
      // Neither a new revision starts it nor another look.
      revision++
      const desired = { revision, redeploy: verb === 'stop' ? '' : 'after stop' }
      machine.loop.setDesired(desiredFor(stack, desired), entries)
      await machine.until((r) => r.revision === revision && r.drift?.state === 'Held')
      expect(await stack.compose('ps', '-q')).toBe('')
      machine.loop.setDesired(desiredFor(stack, { revision, redeploy: `after ${verb}` }), entries)
      await machine.until((r) => r.revision === revision && r.phase === 'Settled')
      expect((await stack.environmentOf('web'))['TOKEN']).toBe('the-token')
    },
  )
})
