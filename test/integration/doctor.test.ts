// `stagely agent doctor`: each finding is made to happen, and says what to do.
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { itAsRoot } from '../support/as-root.ts'
import { parseAgentConfig, type AgentConfig } from '../../agent/config.ts'
import type { DoctorCheck } from '../../agent/machine/check.ts'
import { examine } from '../../agent/machine/doctor.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { agentHere } from '../support/agents/agent-here.ts'
import { controllerHere } from '../support/programs/controller-here.ts'
import { newFilesRoot } from '../support/files.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import { runCli, startWorld, type World } from '../support/programs/processes.ts'
import { createStack, idleService, testImage, type Stack } from '../support/docker/stack.ts'

const root = resolve(import.meta.dirname, '../..')
const filesDir = newFilesRoot()

describe('the doctor', () => {
  let world: World
  let stack: Stack
  let dir: string

  const flags = (): string[] => [
    ...['--data-dir', world.agentDir, '--files-dir', filesDir, '--allow-dir', stack.directory],
  ]
  const config = (more: string[] = [], env: NodeJS.ProcessEnv = process.env): AgentConfig =>
    parseAgentConfig([...flags(), ...more], env) as AgentConfig
  const find = (checks: readonly DoctorCheck[], name: string): string => {
    const check = checks.find((c) => c.name === name)
    return `${check?.status}: ${check?.message} → ${check?.remedy ?? ''}`
  }
  const finding = async (name: string, with_: AgentConfig, skewMs = 0): Promise<string> =>
    find(await examine(with_, { ...realClock, now: () => realClock.now() + skewMs }), name)

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'stagely-doctor-'))
    // Else the engine makes it for a container that mounts it, and it is root's.
    await mkdir(filesDir, { mode: 0o700 })
    stack = await createStack(`services:\n${idleService('web')}`)
    world = await startWorld({
      controllerBy: controllerHere,
      agentBy: agentHere,
      database: await freshDatabase(),
      agentArgs: ['--files-dir', filesDir],
    })
  })
  afterAll(async () => {
    await world?.stop()
    await stack?.remove()
    await rm(dir, { recursive: true, force: true })
    await rm(filesDir, { recursive: true, force: true })
  })

  itAsRoot('finds a machine right where an agent runs', async () => {
    const ran = await runCli(['agent', 'doctor', '-o', 'json', ...flags()], {})
    const { checks } = JSON.parse(ran.stdout) as { checks: DoctorCheck[] }
    const names = ['docker-host', 'engine', 'isolation', 'container', 'compose', 'user', 'data-dir']
    expect(checks.map((c) => c.name)).toEqual([
      ...[...names, 'tmpfs', 'allow-dir', 'writers', 'controller', 'clock', 'identity', 'service'],
    ])
    expect(checks.filter((c) => c.status === 'failed')).toEqual([])
    // Whether swap is on is the machine's own affair.
    expect(checks.filter((c) => c.status !== 'ok' && c.name !== 'tmpfs')).toEqual([])
    expect(find(checks, 'identity')).toBe('ok: known to the controller as default/box → ')
    expect(ran.code).toBe(0)
  })

  it('refuses an engine elsewhere, and wrong usage', async () => {
    const asYaml = await runCli(['agent', 'doctor', '-o', 'yaml', ...flags()], {})
    expect(asYaml.stdout).toMatch(/^checks:\n/)
    const far = await runCli(['agent', 'doctor', ...flags()], { DOCKER_HOST: 'tcp://far:2375' })
    expect(far.code).toBe(1)
    expect(far.stdout).toMatch(/^failed +docker-host .*unix:\/\/ socket.*\n +→ unset DOCKER_HOST/)
    expect((await runCli(['agent', 'doctor', '--frob'], {})).code).toBe(2)
    expect((await runCli(['agent', 'doctor', '-o', 'xml'], {})).code).toBe(2)
  })

  itAsRoot(
    'tells of an engine that is not there, that is rootless, or that remaps users',
    async () => {
      const socket = join(dir, 'docker.sock')
      const at = (): AgentConfig => config([], { ...process.env, DOCKER_HOST: `unix://${socket}` })
      expect(await finding('engine', at())).toMatch(/^failed: there is no .* → install and start/)
      let options: string[] = []
      const engine = createServer((_, response) => {
        response.end(JSON.stringify({ ServerVersion: '27.0.0', SecurityOptions: options }))
      })
      await new Promise<void>((done) => engine.listen(socket, done))
      try {
        expect(await finding('isolation', at())).toMatch(/^ok: /)
        options = ['name=seccomp,profile=builtin', 'name=rootless']
        expect(await finding('isolation', at())).toMatch(/^failed: .*rootless.* → run the agent as/)
        options = ['name=userns']
        expect(await finding('isolation', at())).toMatch(/^warning: the engine remaps users/)
      } finally {
        engine.close()
      }
    },
  )

  it('tells of folders that are open, on a disk, or not there', async () => {
    expect(await finding('tmpfs', config(['--files-dir', dir]))).toMatch(/^failed: .* → give a folder/) // prettier-ignore
    expect(await finding('tmpfs', config(['--files-dir', dir, '--files-on-disk']))).toMatch(/^warning/) // prettier-ignore
    expect(await finding('allow-dir', config(['--allow-dir', '/nonexistent']))).toMatch(/^failed: not a folder: \/nonexistent/) // prettier-ignore
    await chmod(join(world.agentDir, 'identity.json'), 0o644)
    expect(await finding('data-dir', config())).toMatch(/^failed: .*identity.json holds keys.* → chmod 600/) // prettier-ignore
    await chmod(join(world.agentDir, 'identity.json'), 0o600)
    await chmod(world.agentDir, 0o755)
    expect(await finding('data-dir', config())).toMatch(/^failed: .* → chmod 700/)
    await chmod(world.agentDir, 0o700)
  })

  it('tells of a clock that is off, by how much, and which way', async () => {
    expect(await finding('clock', config(), 90_000)).toMatch(/^warning: (89|90|91) s ahead of/)
    expect(await finding('clock', config(), -400_000)).toMatch(/^failed: (399|400|401) s behind the controller: .*5 minutes → .*NTP/) // prettier-ignore
  })

  it('in a container asks for the machine’s folders under their own paths', async () => {
    // The host's Node and libraries in a bare image: what runs is the doctor itself.
    const within = async (...mounts: string[]): Promise<string> => {
      const system = ['/usr', '/lib', '/lib64', root].map((path) => `${path}:${path}:ro`)
      const volumes = [...system, '/var/run/docker.sock:/var/run/docker.sock', ...mounts]
      const args = ['run', '--rm', '--network', 'none', ...volumes.flatMap((v) => ['-v', v])]
      const command = [process.execPath, join(root, 'dist/cli/main.js'), 'agent', 'doctor']
      const node = dirname(process.execPath).startsWith('/usr')
        ? []
        : ['-v', `${dirname(dirname(process.execPath))}:${dirname(dirname(process.execPath))}:ro`]
      return stack.docker(...args, ...node, testImage, 'sh', '-c', `${command.join(' ')} ${flags().join(' ')} -o json || true`) // prettier-ignore
    }
    const bare = JSON.parse(await within()) as { checks: DoctorCheck[] }
    expect(find(bare.checks, 'engine')).toMatch(/^ok/)
    expect(find(bare.checks, 'container')).toBe(
      `failed: in a container, without the machine’s ${world.agentDir}, ${filesDir}, ${stack.directory} → start it with ${[world.agentDir, filesDir, stack.directory].map((p) => `-v ${p}:${p}`).join(' ')}`,
    )
    const paths = [world.agentDir, filesDir, stack.directory].map((path) => `${path}:${path}`)
    const right = JSON.parse(await within(...paths)) as { checks: DoctorCheck[] }
    expect(find(right.checks, 'container')).toMatch(/^ok: in a container of its engine/)
  })

  it('tells of a controller that is away, and of an agent that was revoked', async () => {
    await world.agent.kill('SIGTERM')
    expect(await finding('service', config())).toMatch(/^warning: no agent runs/)
    await world.must('agent', 'revoke', 'box', '--yes')
    expect(await finding('identity', config())).toMatch(/^failed: .*revoked.* → .*agent token create --namespace default --name box/) // prettier-ignore
    await world.controller.kill('SIGKILL')
    expect(await finding('controller', config())).toMatch(/^failed: cannot reach https.*ECONNREFUSED.* → is it running/) // prettier-ignore
  })
})
