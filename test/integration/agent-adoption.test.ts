// Stacks that ran before Stagely came, edits of the user, and what `${VAR}` means.
import { appendFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { holdName } from '../../agent/identity/machine-name.ts'
import { createProjectLocks } from '../../agent/borders/project-locks.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  desiredFor,
  digestFor,
  held,
  startMachine,
  type Machine,
} from '../support/docker/docker.ts'
import {
  createStack,
  idle,
  idleService,
  onHost,
  recreatedBetween,
  testImage,
  type Stack,
} from '../support/docker/stack.ts'
import { passes } from '../support/eventually.ts'

const own = '    environment: {TOKEN: mine, OTHER: mine}\n'
const compose = `services:\n${idleService('web', own)}${idleService('db')}`
const secret = held('TOKEN', 'first-value', 'web')

describe('a stack that runs already', () => {
  let stack: Stack
  let machine: Machine

  beforeEach(async () => {
    stack = await createStack(compose)
    await up()
    machine = await startMachine(stack)
  })
  afterEach(async () => {
    await machine.stop()
    await stack.remove()
  })
  const up = (): Promise<string> => stack.compose('up', '-d')
  const deploy = (redeploy: string): Promise<unknown> => machine.roll([secret], { redeploy })

  it('is adopted without touching services that see no secret', async () => {
    const before = await stack.containers()
    await machine.roll([secret])
    expect(recreatedBetween(before, await stack.containers())).toEqual(['web'])
    expect((await stack.environmentOf('web'))['TOKEN']).toBe('first-value')
    const told = await machine.until((r) => r.services.length === 2)
    expect(told.services.map((s) => s.composeKeys)).toEqual([undefined, ['OTHER', 'TOKEN']])
    const settled = await stack.containers()
    await machine.roll([])
    expect(recreatedBetween(settled, await stack.containers())).toEqual(['web'])
    expect((await stack.containers())['web']?.label).toBe('')
  })

  it('is only looked at while paused', async () => {
    const before = await stack.containers()
    machine.loop.setDesired(desiredFor(stack, { paused: true }), [secret])
    const report = await machine.until((r) => r.phase === 'Paused')
    expect(report.services.map((s) => [s.name, s.state])).toEqual([
      ['db', 'running'],
      ['web', 'running'],
    ])
    expect(report.passed).toEqual({})
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
  })

  it('keeps the user’s edits for a deploy, and names the services that they would change', async () => {
    await machine.roll([secret])
    await stack.write(
      `services:\n${idleService('web', own)}${idleService('db', '    environment: {EDIT: "1"}\n')}${idleService('fresh')}`,
    )
    const before = await stack.containers()
    machine.loop.schedule()
    await machine.until((r) => r.pendingEdits.join() === 'db,fresh')
    const rotated = held('TOKEN', 'second-value', 'web')
    await machine.roll([rotated])
    expect(recreatedBetween(before, await stack.containers())).toEqual(['web'])
    machine.loop.setDesired(desiredFor(stack, { revision: 9, redeploy: 'now' }), [rotated])
    await machine.until(
      (r) => r.revision === 9 && r.phase === 'Settled' && r.pendingEdits.length === 0,
    )
    const after = await stack.containers()
    expect(Object.keys(after).sort()).toEqual(['db', 'fresh', 'web'])
    expect((await stack.environmentOf('db'))['EDIT']).toBe('1')
    expect(after['web']?.label).toBe(digestFor('web', [rotated]))
  })

  it('rolls edits out by itself with onChange Deploy', async () => {
    const spec = { ...desiredFor(stack).compose, onChange: 'Deploy' as const }
    await machine.roll([secret], { compose: spec })
    await stack.write(`${compose}${idleService('fresh')}`)
    machine.loop.schedule()
    await machine.until(
      (r) =>
        r.phase === 'Settled' &&
        r.services.some((s) => s.name === 'fresh' && s.state === 'running'),
    )
  })

  it('satisfies variables of the file from global secrets, and names those that nothing sets', async () => {
    const own = `  web:\n    image: ${testImage}\n${onHost('web')}    command: ${idle}\n    environment: {FROM: "\${GREETING}", OTHER: "\${NOWHERE}", OWN: "\${OWN}"}\n`
    await stack.write(`services:\n${own}`)
    // One of the service's own is no variable of the file, and takes its place.
    const report = await machine.roll([
      held('GREETING', 'hello there'),
      held('OWN', 'for web alone', 'web'),
    ])
    expect((await stack.environmentOf('web'))['OWN']).toBe('for web alone')
    expect((await stack.environmentOf('web'))['FROM']).toBe('hello there')
    expect(report.missingVariables).toEqual(['NOWHERE'])
  })

  it('honours .env, env_file, the user’s own override, includes and profiles', async () => {
    await writeFile(join(stack.directory, '.env'), 'COMPOSE_PROFILES=extra\nWHO=env-file\n')
    await mkdir(join(stack.directory, 'parts'))
    await writeFile(
      join(stack.directory, 'parts/more.yml'),
      `services:\n${idleService('included')}`,
    )
    await writeFile(
      join(stack.directory, 'docker-compose.override.yml'),
      `services:\n  web:\n    environment: {MINE: "\${WHO}"}\n    env_file: web.env\n`,
    )
    await writeFile(join(stack.directory, 'web.env'), 'FROM_FILE=of-the-file\nALL=of-the-file\n')
    await appendFile(
      join(stack.directory, 'docker-compose.yml'),
      `${idleService('tool', '    profiles: [extra]\n')}${idleService('off', '    profiles: [never]\n')}include: [parts/more.yml]\n`,
    )
    await stack.keepTree()
    const report = await machine.roll([secret, held('ALL', 'for-everyone')])
    expect(report.services.map((s) => s.name)).toEqual(['db', 'included', 'tool', 'web'])
    expect(report.services.at(-1)?.composeKeys).toEqual([
      ...['ALL', 'FROM_FILE', 'MINE', 'OTHER', 'TOKEN'],
    ])
    await machine.until((r) => r.pendingEdits.join() === 'included,tool')
    await deploy('go')
    await machine.roll([secret, held('ALL', 'for-everyone')], { redeploy: 'go' })
    expect(await stack.environmentOf('web')).toEqual({
      FROM_FILE: 'of-the-file',
      MINE: 'env-file',
      OTHER: 'mine',
      TOKEN: 'first-value',
      ALL: 'for-everyone',
    })
    expect(await stack.environmentOf('included')).toEqual({ ALL: 'for-everyone' })
    expect((await readdir(stack.directory)).sort()).toEqual([
      '.env',
      'docker-compose.override.yml',
      'docker-compose.yml',
      'parts',
      'web.env',
    ])
  })

  it('is found under the name that its file makes with a variable', async () => {
    const [, id = ''] = /^stagely-t-(.*)$/.exec(stack.project) ?? []
    await stack.write(`name: stagely-t-\${ID}\n${compose}`)
    await writeFile(join(stack.directory, '.env'), `ID=${id}\n`)
    await stack.keepTree()
    const { projectName: _, ...spec } = desiredFor(stack).compose
    const before = await stack.containers()
    const report = await machine.roll([secret], { compose: spec })
    expect(report.services.map((s) => s.name)).toEqual(['db', 'web'])
    expect(recreatedBetween(before, await stack.containers())).toEqual(['web'])
    expect((await stack.environmentOf('web'))['TOKEN']).toBe('first-value')
  })

  it('belongs to one agent of the machine at a time; another, of whatever team, learns nothing of it and ends nothing', async () => {
    const anAgent = () => createProjectLocks((project) => holdName('test', project))
    const [one, other] = [
      await startMachine(stack, { locks: anAgent() }),
      await startMachine(stack, { locks: anAgent() }),
    ]
    try {
      await one.roll([secret])
      const before = await stack.containers()
      other.loop.setDesired(desiredFor(stack), [held('TOKEN', 'other-value', 'web')])
      const { fault, services } = await other.until((r) => r.phase === 'Failed')
      expect(fault?.reason).toBe('ProjectClaimed')
      expect(services).toEqual([])
      expect(other.loop.logSource()).not.toHaveProperty('project')
      expect(fault?.message).toMatch(/^another agent already runs .* on this machine/)
      other.loop.setDesired(desiredFor(stack, { release: 'Down', releaseVolumes: true }), [])
      const end = await other.until((r) => r.phase === 'Released')
      expect(end.fault?.reason).toBe('NothingTakenDown')
      expect(recreatedBetween(before, await stack.containers())).toEqual([])
      await one.stop()
      other.loop.setDesired(desiredFor(stack), [held('TOKEN', 'other-value', 'web')])
      await other.until((r) => r.phase === 'Settled')
      expect((await stack.environmentOf('web'))['TOKEN']).toBe('other-value')
    } finally {
      await one.stop()
      await other.stop()
    }
  })

  it('is refused where containers may write its files or have made a link of what it mounts, unless the stagelet says so', async () => {
    const before = await stack.containers()
    let revision = 0
    const wants = async (web: string, writableFolders?: string[]): Promise<string> => {
      revision++
      await stack.write(`services:\n${idleService('web', web)}${idleService('db')}`)
      const spec = { ...desiredFor(stack).compose, ...(writableFolders && { writableFolders }) }
      machine.loop.setDesired(desiredFor(stack, { revision, compose: spec }), [secret])
      const { fault } = await machine.until(
        (r) => r.revision === revision && (r.phase === 'Failed' || r.phase === 'Settled'),
      )
      expect(fault?.reason ?? '').toBe(fault === undefined ? '' : 'WritableByContainer')
      return fault?.message.replaceAll(stack.directory, 'DIR') ?? 'none'
    }
    expect(await wants('    volumes: [".:/app"]\n')).toMatch(
      /^service web may write DIR\..*spec\.compose\.writableFolders: \[DIR\]$/,
    )
    await mkdir(join(stack.directory, 'data'))
    await symlink('/etc/hostname', join(stack.directory, 'data/up'))
    await stack.keepTree()
    expect(await wants('    volumes: ["./data:/data", "./data/up:/up:ro"]\n')).toMatch(
      /^service web uses DIR\/data\/up, which leads to \/etc\/hostname by a link in DIR\/data, and service web may write that\./,
    )
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
    expect(await wants('    volumes: [".:/app"]\n', [stack.directory])).toBe('none')
    expect((await stack.environmentOf('web'))['TOKEN']).toBe('first-value')
    // Now a container of the stack has the folder.
    expect(await wants('')).toMatch(/^container \S+-web-1 may write DIR\./)
  })

  it('stays under the name that it runs by while that is there, and is not said to have drifted', async () => {
    await machine.roll([secret])
    const before = await stack.containers()
    const other = `${stack.project}-other`
    const spec = { ...desiredFor(stack).compose, projectName: other }
    const left = machine.reports.length
    machine.loop.setDesired(desiredFor(stack, { revision: 2, compose: spec }), [secret])
    const { fault, services, composeProject } = await machine.until((r) => r.phase === 'Failed')
    expect(fault?.reason).toBe('ProjectRenamed')
    expect([composeProject, services.map((s) => s.state)]).toEqual([
      stack.project,
      ['running', 'running'],
    ])
    await machine.roll([secret])
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
    expect(machine.reports.slice(left).filter((r) => r.drift !== undefined)).toEqual([])
  })

  it('of which only volumes are left is adopted by name', async () => {
    const volumes = 'volumes: {data: }\n'
    const web = idleService('web', '    volumes: ["data:/data"]\n')
    await stack.write(`services:\n${web}${volumes}`)
    await up()
    await stack.compose('down', '--remove-orphans')
    machine.loop.setDesired(desiredFor(stack), [secret])
    const { fault } = await machine.until((r) => r.phase === 'Failed')
    expect(fault?.reason).toBe('NotAdopted')
    expect(await stack.containers()).toEqual({})
    const spec = { ...desiredFor(stack).compose, adopt: [`${stack.project}_data`] }
    await machine.roll([secret], { compose: spec })
    // What was there before stays.
    machine.loop.setDesired(
      desiredFor(stack, { revision: 2, compose: spec, release: 'Down', releaseVolumes: true }),
      [],
    )
    await machine.until((r) => r.phase === 'Released')
    expect(await stack.docker('volume', 'ls', '-q', '-f', `name=${stack.project}`)).toBe(
      `${stack.project}_data\n`,
    )
  })

  it('takes no edit that is saved while a rollout waits, but for what the rollout makes anew', async () => {
    const checked = (test: string): string =>
      `    healthcheck: {test: ["CMD-SHELL", "${test}"], interval: 0.3s, retries: 600}\n`
    const of = (db: string): string =>
      `services:\n${idleService('slow', checked('test -e /tmp/go'))}${idleService('db', db)}${idleService(
        'web',
        '    depends_on: {db: {condition: service_started}, slow: {condition: service_healthy}}\n',
      )}`
    await stack.write(of(''))
    const go = async (): Promise<unknown> => await stack.docker('exec', `${stack.project}-slow-1`, 'touch', '/tmp/go') // prettier-ignore
    const both = (value: string) => [held('A', value, 'slow'), held('A', value, 'web')]
    const started = up()
    await passes(go)
    await started
    const first = machine.roll(both('first-value'))
    await machine.until((r) => r.waitingFor?.join().includes('slow') === true)
    const before = await stack.containers()
    await stack.write(of('    environment: {EDIT: "1"}\n'))
    await go()
    await first
    const after = await stack.containers()
    expect(recreatedBetween(before, after)).toEqual(['web'])
    await machine.until((r) => r.pendingEdits.includes('db'))
  })

  it('is let go with Retain, and taken down with Down', async () => {
    await machine.roll([secret])
    const before = await stack.containers()
    machine.loop.setDesired(desiredFor(stack, { revision: 1, release: 'Retain' }), [])
    await machine.until((r) => r.phase === 'Released')
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
    machine.loop.setDesired(desiredFor(stack, { revision: 2 }), [secret])
    await machine.until((r) => r.phase === 'Settled')
    machine.loop.setDesired(desiredFor(stack, { revision: 2, release: 'Down' }), [])
    await machine.until((r) => r.phase === 'Released')
    expect(await stack.containers()).toEqual({})
  })
})
