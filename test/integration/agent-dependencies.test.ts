// Services that hang together: dependents, shared namespaces, jobs. Only what must is re-created.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAtLeast } from '../../src/compose/compose.ts'
import { composeAt } from '../support/docker/compose-at.ts'
import { desiredFor, held, startMachine, type Machine } from '../support/docker/docker.ts'
import { eventually } from '../support/eventually.ts'
import { newerCompose } from '../support/docker/newer-compose.ts'
import { soak } from '../support/soak.ts'
import {
  createStack,
  idleService,
  recreatedBetween,
  onHost,
  testImage,
  type Stack,
} from '../support/docker/stack.ts'

/** Sees what `db` was given, and breaks by itself. */
const peer = `  peer:
    image: ${testImage}
    command: ["sh", "-c", "grep -q no-peer /proc/1/environ && exit 3; exec sleep 1000"]
    network_mode: service:db
    pid: service:db
`
const compose = `services:
${idleService('db')}${idleService('api', '    depends_on: [db]\n')}${idleService('web', '    depends_on: [api, migrate]\n')}${peer}${idleService('asks', '    depends_on: {db: {condition: service_started, restart: true}}\n')}${idleService('twins', '    scale: 2\n')}  migrate:
    image: ${testImage}
${onHost('migrate')}    command: ["sh", "-c", "echo ran"]
    depends_on: [db]
${idleService('none', '    scale: 0\n')}`

/**
 * Up to 2.29.3 a re-created service takes all its dependents along; after that it does not. What the
 * agent does the same with both is shown with the older one, and with both in the long form.
 */
const versions: [version: string, binary: () => Promise<string | undefined>, all: boolean][] = [
  ['this machine’s Compose', () => Promise.resolve(undefined), true],
  ['a newer Compose', newerCompose, soak(0, 1) === 1],
]

describe.each(versions)('services that depend on each other, by %s', (_version, binaryOf, all) => {
  const itOfAll = (what: string, shows: () => Promise<void>): void => {
    if (all) it(what, shows)
  }
  let stack: Stack
  let machine: Machine
  const common = held('COMMON', 'for-all')

  beforeAll(async () => {
    const composeBinary = await binaryOf()
    stack = await createStack(compose)
    machine = await startMachine(stack, composeBinary === undefined ? {} : { composeBinary })
    await machine.roll([common])
  })
  afterAll(async () => {
    await machine?.stop()
    await stack?.remove()
  })

  const rotated = async (service: string, value: string): Promise<string[]> => {
    const before = await stack.containers()
    await machine.roll([common, held('OWN', value, service)])
    await machine.roll([common, held('OWN', `${value}-again`, service)])
    return recreatedBetween(before, await stack.containers())
  }

  it('come up whole, jobs done and scaled-down ones absent', () => {
    const report = machine.reports.at(-1)!
    const states = Object.fromEntries(report.services.map((s) => [s.name, s.state]))
    expect(states).toEqual({
      api: 'running',
      asks: 'running',
      db: 'running',
      migrate: 'completed',
      none: 'scaledToZero',
      peer: 'running',
      twins: 'running',
      web: 'running',
    })
    expect(report.services.find((s) => s.name === 'twins')?.containers).toBe(2)
    expect(report.services.filter((s) => s.sharesWith).map((s) => [s.name, s.sharesWith])).toEqual([
      ['peer', ['db']],
    ])
    expect(Object.keys(report.passed).sort()).toEqual([
      'api',
      'asks',
      'db',
      'migrate',
      'peer',
      'twins',
      'web',
    ])
  })

  it('do not follow a dependency that is re-created, but for those that share its namespace, or ask for it', async () => {
    const before = (await stack.containers())['asks']
    expect(await rotated('db', 'one')).toEqual(['asks', 'db', 'peer'])
    const report = machine.reports.at(-1)
    expect(report?.rollout).toMatchObject({
      recreated: ['db', 'peer'],
      cascaded: ['asks', 'peer'],
    })
    expect(report?.drift).toBeUndefined()
    const after = (await stack.containers())['asks']
    expect(after?.id).toBe(before?.id)
    expect(after?.startedAt).not.toBe(before?.startedAt)
  })

  itOfAll(
    'are made anew where an action ended after the one that they share a namespace with',
    async () => {
      const before = await stack.containers()
      const db = held('OWN', 'cut-off', 'db')
      const first = machine.roll([common, db])
      const isNew = async (): Promise<boolean> => {
        const id = (await stack.containers())['db']?.id
        return id !== undefined && id !== before['db']?.id
      }
      await eventually(isNew).toBe(true)
      // Newer: what is under way ends as soon as it can.
      await machine.roll([common, db, held('OTHER', 'newer', 'web')])
      await first
      const after = await stack.containers()
      expect(recreatedBetween(before, after)).toEqual(expect.arrayContaining(['db', 'peer', 'web']))
      const mode = ['inspect', '--format', '{{.HostConfig.NetworkMode}}', after['peer']!.id]
      expect((await stack.docker(...mode)).trim()).toBe(`container:${after['db']!.id}`)
      expect(machine.reports.at(-1)?.services.some((s) => s.cutOff === true)).toBe(false)
      await machine.roll([common, held('OWN', 'one-again', 'db')])
    },
  )

  it('are back as a whole where a new value breaks only who shares a namespace with its service', async () => {
    const good = [common, held('OWN', 'one-again', 'db')]
    const { revision: healthyRevision } = machine.reports.at(-1)!
    const before = await stack.containers()
    const revision = healthyRevision + 1
    const bad = [common, held('OWN', 'no-peer', 'db')]
    machine.loop.setDesired(desiredFor(stack, { revision, healthyRevision }), bad, good)
    const report = await machine.until(
      (r) => r.phase === 'Settled' && r.rollout?.result === 'RolledBack',
    )
    expect(report).toMatchObject({
      revision: healthyRevision,
      quarantine: [{ service: 'db', revision }],
      rollout: { service: 'db' },
    })
    expect(report.rollout?.message).toMatch(/service peer: container \S+ exited with code 3/)
    expect(recreatedBetween(before, await stack.containers())).toEqual(['asks', 'db', 'peer'])
    expect((await stack.environmentOf('db'))['OWN']).toBe('one-again')
    expect(report.services.find((s) => s.name === 'peer')?.state).toBe('running')
  })

  itOfAll('leave their dependencies alone, finished jobs too', async () => {
    await machine.roll([common])
    expect(await rotated('web', 'two')).toEqual(['web'])
    await machine.roll([common])
    expect(await rotated('api', 'three')).toEqual(['api'])
  })

  it('are no edits while nobody edits, and where one is edited, it alone is told and rolled out', async () => {
    await machine.roll([common])
    expect(machine.reports.flatMap((r) => r.pendingEdits)).toEqual([])
    const api = `depends_on: [db]\n    labels: {edited: "yes"}\n`
    await stack.write(compose.replace('depends_on: [db]\n', api))
    machine.loop.schedule()
    await machine.until((r) => r.pendingEdits.length > 0)
    expect(machine.reports.at(-1)?.pendingEdits).toEqual(['api'])
    const before = await stack.containers()
    await machine.roll([common], { redeploy: 'edits' })
    expect(recreatedBetween(before, await stack.containers())).toEqual(['api'])
    expect(machine.reports.at(-1)?.pendingEdits).toEqual([])
  })

  it('are left alone where one is rotated while what it depends on has an edit', async () => {
    await stack.write(
      compose
        .replace('services:\n', 'services:\n  # edited\n')
        .replace('depends_on: [db]\n', 'depends_on: [db]\n    labels: {edited: "again"}\n'),
    )
    machine.loop.schedule()
    await machine.until((r) => r.pendingEdits.join() === 'api')
    const before = await stack.containers()
    await machine.roll([common, held('OWN', 'four', 'web')], { redeploy: 'edits' })
    expect(recreatedBetween(before, await stack.containers())).toEqual(['web'])
    expect(machine.reports.at(-1)?.pendingEdits).toEqual(['api'])
  })
})

/** On the engine's own bridge, where a link holds the container that it links to. */
const linked = `services:
${idleService('server', '    network_mode: bridge\n')}${idleService('client', '    network_mode: bridge\n    links: ["server:upstream"]\n')}${idleService('other', '    network_mode: bridge\n')}`

it.concurrent.each(versions)(
  'services that link to each other are made anew with the one that they link to, and find it under its name, by %s',
  async (_version, binaryOf) => {
    const composeBinary = await binaryOf()
    const stack = await createStack(linked)
    const machine = await startMachine(stack, composeBinary === undefined ? {} : { composeBinary })
    try {
      await machine.roll([held('OWN', 'one', 'server')])
      const before = await stack.containers()
      const report = await machine.roll([held('OWN', 'two', 'server')])
      const after = await stack.containers()
      expect(recreatedBetween(before, after)).toEqual(['client', 'server'])
      expect(report.rollout).toMatchObject({ result: 'Healthy', cascaded: ['client'] })
      expect(await stack.environmentOf('server')).toEqual({ OWN: 'two' })
      const format = '{{.NetworkSettings.IPAddress}}'
      const address = (
        await stack.docker('inspect', '--format', format, after['server']!.id)
      ).trim()
      const hosts = await stack.docker('exec', after['client']!.id, 'cat', '/etc/hosts')
      expect(hosts).toMatch(new RegExp(`^${address.replaceAll('.', '\\.')}\\s.*upstream`, 'm'))
      // Newer: what is under way ends after the server, and before who links to it.
      const first = machine.roll([held('OWN', 'three', 'server')])
      const isNew = async (): Promise<boolean> =>
        ![undefined, after['server']!.id].includes((await stack.containers())['server']?.id)
      await eventually(isNew).toBe(true)
      await machine.roll([held('OWN', 'three', 'server'), held('OTHER', 'newer', 'other')])
      await first
      const newest = await stack.containers()
      expect(recreatedBetween(after, newest)).toEqual(['client', 'other', 'server'])
    } finally {
      await machine.stop()
      await stack.remove()
    }
  },
)

const onNetwork = (options: string): string => `services:
${idleService('api', '    networks: [inner]\n')}${idleService('web', '    networks: [inner]\n    depends_on: [api]\n')}${idleService('apart')}networks:
  inner: {${options}}
`

it('a network that is edited stays while a service on it is rotated, and a deploy makes it anew', async () => {
  const stack = await createStack(onNetwork(''))
  const machine = await startMachine(stack, { composeBinary: await newerCompose() })
  const labels = async (): Promise<string> => {
    const format = '{{index .Labels "edited"}}'
    return (await stack.docker('network', 'inspect', '-f', format, `${stack.project}_inner`)).trim()
  }
  try {
    await machine.roll([held('OWN', 'one', 'web')])
    await stack.write(onNetwork('labels: {edited: "yes"}'))
    machine.loop.schedule()
    await machine.until((r) => r.pendingEdits.length > 0)
    expect(machine.reports.at(-1)?.pendingEdits).toEqual(['api', 'web'])
    const before = await stack.containers()
    const entries = [held('OWN', 'two', 'web'), held('MORE', 'one', 'api')]
    await machine.roll(entries.slice(0, 1))
    const rotated = await stack.containers()
    expect(recreatedBetween(before, rotated)).toEqual(['web'])
    expect(await labels()).toBe('')
    await machine.roll(entries)
    expect(recreatedBetween(rotated, await stack.containers())).toEqual(['api'])
    expect(machine.reports.at(-1)?.pendingEdits).toEqual(['api', 'web'])
    const again = await stack.containers()
    await machine.roll(entries, { redeploy: 'edits' })
    expect(recreatedBetween(again, await stack.containers())).toEqual(['api', 'web'])
    expect(await labels()).toBe('yes')
    expect(machine.reports.at(-1)?.pendingEdits).toEqual([])
  } finally {
    await machine.stop()
    await stack.remove()
  }
})

it('is tested on both sides of 2.29.4', async () => {
  const version = async (binary?: string): Promise<string> => (await composeAt(binary)).version
  expect(isAtLeast(await version(await newerCompose()), '2.29.4')).toBe(true)
  console.info(`Compose ${await version()} and ${await version(await newerCompose())}`)
})
