// What goes wrong is told, and what ran goes on running.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ReportedStagelet } from '../../src/protocol/messages.ts'
import {
  desiredFor,
  digestFor,
  held,
  startMachine,
  type Machine,
  type MachineOptions,
} from '../support/docker/docker.ts'
import {
  createStack,
  idle,
  idleService,
  recreatedBetween,
  testImage,
  type Container,
  type Stack,
} from '../support/docker/stack.ts'
import { join } from 'node:path'

const compose = `services:\n${idleService('web')}${idleService('db')}`
const first = held('TOKEN', 'the-first-value', 'web')
const second = held('TOKEN', 'the-second-value', 'web')

describe('a stack that is in sync', () => {
  let stack: Stack
  let left: Stack | undefined
  let machine: Machine
  let before: Record<string, Container>

  const restart = async (options: MachineOptions): Promise<void> => {
    await machine.stop()
    machine = await startMachine(stack, options)
  }
  beforeEach(async () => {
    stack = left ?? (await createStack(compose))
    machine = await startMachine(stack)
    await machine.roll([first])
    before = await stack.containers()
  })
  /** A stack whose containers were left alone serves the next test, too. */
  afterEach(async () => {
    await machine.stop()
    const isAsBefore = isDeepStrictEqual(await stack.containers(), before)
    left = isAsBefore ? stack : undefined
    await (isAsBefore ? stack.write(compose) : stack.remove())
  })
  afterAll(() => left?.remove())

  const failed = (revision: number) => (r: ReportedStagelet) =>
    r.revision === revision && r.phase === 'Failed'
  /** Wants what cannot be had, and expects it told while everything runs on. */
  const refuse = async (tweak: object, entries = [second]): Promise<ReportedStagelet> => {
    machine.loop.setDesired(desiredFor(stack, { revision: 5, ...tweak }), entries)
    const report = await machine.until(failed(5))
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
    expect(report.passed['web']).not.toBe(digestFor('web', entries))
    expect(JSON.stringify(machine.reports)).not.toContain('the-second-value')
    return report
  }

  it('runs on when the compose file is broken, and goes on when it is mended', async () => {
    await stack.write('services:\n  web: [nonsense')
    const report = await refuse({})
    expect(report.fault?.reason).toBe('ComposeInvalid')
    expect(report.fault?.message).toMatch(/yaml: line \d/)
    await stack.write(`${compose}    environment: {TOKEN: "\${TOKEN:?needed}"}\n`)
    machine.loop.schedule()
    await machine.until(
      ({ fault }) =>
        fault?.message.includes('TOKEN is one of web, which gets it by itself') === true,
    )
    await stack.write(compose)
    machine.loop.schedule()
    await machine.until((r) => r.phase === 'Settled')
    expect((await stack.environmentOf('web'))['TOKEN']).toBe('the-second-value')
  })

  it('runs on when its folder is said to be elsewhere, or is not allowed', async () => {
    const elsewhere = {
      ...desiredFor(stack).compose,
      directory: join(stack.directory, 'nonexistent'),
    }
    expect((await refuse({ compose: elsewhere })).fault).toMatchObject({
      reason: 'DirectoryMissing',
    })
    await restart({ folders: { allowDirs: ['/srv'] } })
    expect((await refuse({})).fault).toMatchObject({ reason: 'DirectoryNotAllowed' })
  })

  it.each<[string, Buffer, RegExp]>([
    ['a NUL', Buffer.from('the-second\0value'), /web: TOKEN .*NUL/],
    ['bytes that are not UTF-8', Buffer.from([0xff, 0xfe, 0x41]), /web: TOKEN .*UTF-8/],
    ['200 KiB', Buffer.alloc(200 * 1024, 'x'), /web: TOKEN .*131072/],
  ])('runs on when a value has %s', async (_what, value, expected) => {
    const report = await refuse({}, [held('TOKEN', value, 'web')])
    expect(report.fault?.reason).toBe('ValueInvalid')
    expect(report.fault?.message).toMatch(expected)
  })

  it('runs on when an image is missing', async () => {
    await stack.write(compose.replace(testImage, 'stagely-test/absent:9'))
    const report = await refuse({})
    expect(report.rollout).toMatchObject({ result: 'Failed', recreated: [] })
    expect(report.rollout?.message).toMatch(/absent/)
  })

  it('tells that a port is taken, and leaves the others alone', async () => {
    const server = createServer().listen(0, '0.0.0.0')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const published = idleService('web', `    ports: ["${port}:80"]\n`)
    await stack.write(`services:\n${published}${idleService('db')}`)
    machine.loop.setDesired(desiredFor(stack, { revision: 5 }), [second])
    const report = await machine.until(failed(5))
    server.close()
    expect(report.rollout?.message).toMatch(/address already in use/)
    expect(report.passed).not.toHaveProperty('web')
    const after = await stack.containers()
    expect(after['db']).toEqual(before['db'])
    await machine.until((r) => r.phase === 'Settled')
    expect((await stack.environmentOf('web'))['TOKEN']).toBe('the-second-value')
  })

  it('tells of a crash loop early, with exit code and masked last lines', async () => {
    const crash = `command: ["sh", "-c", "echo my token is $$TOKEN; [ $$TOKEN = the-first-value ] && exec sleep 1000; exit 3"]\n    restart: always\n    init: true`
    await stack.write(compose.replace(`command: ${idle}`, () => crash))
    machine.loop.setDesired(desiredFor(stack, { revision: 5 }), [second])
    const report = await machine.until(failed(5), 15_000)
    expect(report.rollout).toMatchObject({ result: 'Failed', service: 'web' })
    expect(report.rollout?.message).toMatch(/keeps crashing.*exit code 3/)
    expect(report.rollout?.message).toMatch(/my token is \*\*\*REDACTED\*\*\*/)
    expect(JSON.stringify(machine.reports)).not.toContain('the-second-value')
    expect(report.passed).not.toHaveProperty('web')
    expect((await stack.containers())['db']).toEqual(before['db'])
    await machine.roll([first])
    expect((await stack.environmentOf('web'))['TOKEN']).toBe('the-first-value')
  })

  it('tells of a container that ran out of memory, and of its limit', async () => {
    const greedy = `command: ["sh", "-c", "[ $$TOKEN = the-first-value ] && exec sleep 1000; exec tail /dev/zero"]\n    mem_limit: 16m\n    init: true`
    await stack.write(compose.replace(`command: ${idle}`, () => greedy))
    machine.loop.setDesired(desiredFor(stack, { revision: 5 }), [second])
    const report = await machine.until(failed(5), 15_000)
    expect(report.rollout?.message).toContain(
      `container ${stack.project}-web-1 exited with code 137 (0 restarts, out of memory with a limit of 16 MiB)`,
    )
  })

  it('is not taken back for the failure of a revision before', async () => {
    const crash = `command: ["sh", "-c", "[ $$TOKEN = the-first-value ] && exec sleep 1000; exit 3"]`
    const crashing = compose.replace(`command: ${idle}`, () => crash)
    await stack.write(crashing)
    machine.loop.setDesired(desiredFor(stack, { revision: 5 }), [second])
    await machine.until((r) => failed(5)(r) && r.rollout?.service === 'web', 15_000)
    await stack.write(crashing.replace(testImage, 'stagely-test/absent:9'))
    const desired = desiredFor(stack, { revision: 6, healthyRevision: 1 })
    machine.loop.setDesired(desired, [held('TOKEN', 'a-third-value', 'web')], [first])
    const report = await machine.until(failed(6))
    expect(report.rollout?.message).toMatch(/absent/)
    expect(report.quarantine).toBeUndefined()
    await machine.loop.stop()
    expect(machine.reports.some((r) => r.quarantine !== undefined)).toBe(false)
  })

  it('is not called passed when up reports success and a container keeps its old label', async () => {
    await restart({ fakeMode: 'lie', firstRevision: 4 })
    const report = await refuse({})
    expect(report.rollout?.message).toMatch(/still carries another digest/)
    const web = report.services.find((s) => s.name === 'web')
    expect(web?.digests).toEqual([digestFor('web', [first])])
    expect(machine.reports.some((r) => r.passed['web'] === digestFor('web', [second]))).toBe(false)
  })

  it('keeps values out of the report when Compose prints its input', async () => {
    await restart({ fakeMode: 'leak' })
    const report = await refuse({})
    expect(report.rollout?.message).toContain('***REDACTED***')
  })

  it('starts a killed container again, and re-creates a removed one', async () => {
    await stack.docker('kill', before['web']!.id)
    await machine.until((r) => r.services.some((s) => s.name === 'web' && s.state !== 'running'))
    await machine.until(
      (r) => r.phase === 'Settled' && r.services.every((s) => s.state === 'running'),
    )
    await stack.docker('rm', '-f', before['db']!.id)
    await machine.until((r) => r.services.some((s) => s.name === 'db' && s.state === 'missing'))
    await machine.until(
      (r) => r.phase === 'Settled' && r.services.every((s) => s.state === 'running'),
    )
    expect((await stack.containers())['web']?.id).toBe(before['web']!.id)
  })

  it('is left as it is by a second agent process that finds everything right', async () => {
    await restart({ fakeMode: 'leak' })
    const report = await machine.roll([first])
    expect(report.passed).toEqual({ web: digestFor('web', [first]) })
    expect(report.rollout).toBeUndefined()
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
    expect(await readFile(`${stack.directory}/docker-compose.yml`, 'utf8')).toBe(compose)
  })
})
