// A Compose that never ends: it is ended at its deadline, it is told, and no other stack waits for it.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentVersion, parseAgentConfig } from '../../agent/config.ts'
import { joinController } from '../../agent/link/join.ts'
import { startAgent, type RunningAgent } from '../../agent/wire.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { parseJoinToken } from '../../src/protocol/join-token.ts'
import { environmentFor, fakeCompose } from '../support/docker/docker.ts'
import { eventually } from '../support/eventually.ts'
import { startCommandWorld, type CommandWorld } from '../support/programs/command-world.ts'
import { projectYaml, secretYaml, stageletYaml } from '../support/shop.ts'
import { createStack, idleService, type Stack } from '../support/docker/stack.ts'

const run = promisify(execFile)
/** The other stack is up by then. */
const upDeadlineMs = 20_000

interface Status {
  readonly status?: {
    readonly conditions?: readonly {
      type: string
      status: string
      reason: string
      message: string
    }[]
  }
}

describe('an up that hangs', () => {
  let world: CommandWorld
  let hung: Stack
  let other: Stack
  let dir: string
  let agent: RunningAgent

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'stagely-hung-'))
    ;[hung, other] = (await Promise.all(
      [0, 1].map(() => createStack(`services:\n${idleService('web')}`)),
    )) as [Stack, Stack]
    world = await startCommandWorld()
    // The agent takes the plugin of its user's own folder before all others.
    await mkdir(join(dir, 'docker/cli-plugins'), { recursive: true })
    await symlink(fakeCompose, join(dir, 'docker/cli-plugins/docker-compose'))
    const dataDir = join(dir, 'agent')
    await mkdir(dataDir, { mode: 0o700 })
    const config = parseAgentConfig([
      ...['--data-dir', dataDir, '--files-dir', join(dir, 'files'), '--allow-dir', tmpdir()],
    ])
    if (config === 'help') throw new Error('no configuration')
    const token = (await world.must('agent', 'token', 'create', '--name', 'box')).trim()
    const environment = {
      ...(await environmentFor('hang')),
      DOCKER_CONFIG: join(dir, 'docker'),
      DOCKER_FAKE_PROJECT: hung.project,
      DOCKER_FAKE_PID: join(dir, 'pid'),
    }
    agent = await startAgent({
      config: { ...config, environment },
      identity: await joinController(dataDir, parseJoinToken(token), agentVersion),
      clock: realClock,
      random: Math.random,
      log: silentLogger,
      onConnected: () => undefined,
      upDeadlineMs,
    })
  })
  afterAll(async () => {
    await agent?.stop()
    await world?.stop()
    await Promise.all([hung?.remove(), other?.remove()])
    await rm(dir, { recursive: true, force: true })
  })

  const hungPid = async (): Promise<number> =>
    Number(await readFile(join(dir, 'pid'), 'utf8').catch(() => '0'))
  const groups = async (): Promise<{ pid: number; group: number; state: string }[]> => {
    const { stdout } = await run('ps', ['-eo', 'pid=,pgid=,stat='])
    return stdout.split('\n').map((line) => {
      const [pid = '', group = '', state = ''] = line.trim().split(/\s+/)
      return { pid: Number(pid), group: Number(group), state }
    })
  }
  /** A zombie has ended; nobody has asked about it yet. */
  const aliveIn = async (group: number): Promise<number[]> =>
    (await groups())
      .filter((p) => p.group === group && !p.state.startsWith('Z'))
      .map(({ pid }) => pid)
  const conditionOf = async (name: string, type: string) =>
    ((await world.read(`stagelets/${name}`)) as Status).status?.conditions?.find(
      (c) => c.type === type,
    )

  it('holds up no other stack, is ended at its deadline, and is told of', async () => {
    await world.apply(
      projectYaml('first') +
        secretYaml('TOKEN', 'a-value-of-the-first', 'web', 'first') +
        stageletYaml(hung.directory, hung.project, 'first'),
    )
    await eventually(hungPid).toBeGreaterThan(0)
    const pid = await hungPid()
    const group = (await groups()).find((p) => p.pid === pid)?.group ?? 0
    await world.apply(
      projectYaml('second') +
        secretYaml('TOKEN', 'a-value-of-the-second', 'web', 'second') +
        stageletYaml(other.directory, other.project, 'second'),
    )
    await eventually(() => other.environmentOf('web').catch(() => ({}))).toMatchObject({
      TOKEN: 'a-value-of-the-second',
    })
    expect(await aliveIn(group)).toContain(pid)
    // It ignores SIGTERM; ten seconds later the whole group is killed.
    await eventually(() => aliveIn(group)).toEqual([])
    await eventually(() => conditionOf('first', 'Degraded')).toMatchObject({
      status: 'True',
      reason: 'RolloutFailed',
      message: expect.stringContaining('docker compose up ran into its deadline') as string,
    })
    await eventually(() => conditionOf('second', 'SecretsInSync')).toMatchObject({ status: 'True' })
  })
})
