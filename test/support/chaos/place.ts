// Where chaos happens: controller and agent as processes, a relay between them, an engine of its own,
// the agent's two folders on file systems that are small enough to fill, and its clock in a file.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeTestImage } from '../docker/docker-setup.ts'
import { startWorld, type World } from '../programs/processes.ts'
import { projectYaml, stageletYaml } from '../shop.ts'
import { createStack, idleService, type Stack } from '../docker/stack.ts'
import { createTestDatabase, type TestDatabase } from '../databases/test-database.ts'
import { startOwnEngine, type OwnEngine } from './engine.ts'
import { services, type Service } from './model.ts'
import { startNetwork, type Network } from './network.ts'

const run = promisify(execFile)

/** What each service depends on, and how the engine restarts it. */
const traits: Readonly<Record<Service, { needs?: Service; restart?: string }>> = {
  web: { needs: 'api', restart: 'unless-stopped' },
  api: { needs: 'db' },
  db: { restart: 'always' },
  cache: {},
  queue: { restart: 'on-failure' },
  worker: { needs: 'queue' },
}

const composeText = (): string => {
  const parts = services.map((name) => {
    const { needs, restart } = traits[name]
    const restarts = restart === undefined ? '' : `    restart: ${restart}\n`
    return idleService(name, restarts + (needs === undefined ? '' : `    depends_on: [${needs}]\n`))
  })
  return `services:\n${parts.join('')}`
}

export interface Place {
  readonly world: World
  readonly stack: Stack
  readonly engine: OwnEngine
  readonly network: Network
  readonly database: TestDatabase
  /** Small file systems: of the agent's data, and of file secrets. */
  readonly dataMount: string
  readonly filesMount: string
  readonly temporary: string
  readonly compose: string
  /** Sets the agent's clock wrong by so many seconds. */
  setClock(offsetSeconds: number): Promise<void>
  remove(): Promise<void>
}

const faketimeLibrary = (): string => {
  const found = readdirSync('/usr/lib')
    .map((name) => join('/usr/lib', name, 'faketime/libfaketimeMT.so.1'))
    .find((path) => existsSync(path))
  if (found === undefined) throw new Error('libfaketime is missing: apt-get install libfaketime')
  return found
}

/** Sizes in KiB: room for the test's values, and filled in a moment. */
const mountSmall = async (path: string, kib: number): Promise<void> => {
  await mkdir(path, { recursive: true, mode: 0o700 })
  await run('mount', ['-t', 'tmpfs', '-o', `size=${kib}k,mode=0700`, 'tmpfs', path])
}

export const createPlace = async (postgresUrl: string): Promise<Place> => {
  const undo: (() => Promise<unknown>)[] = []
  const remove = async (): Promise<void> => {
    for (const step of undo.reverse()) await step().catch(() => undefined)
  }
  try {
    return await build(postgresUrl, undo, remove)
  } catch (error) {
    await remove()
    throw error
  }
}

const build = async (
  postgresUrl: string,
  undo: (() => Promise<unknown>)[],
  remove: () => Promise<void>,
): Promise<Place> => {
  const dir = await mkdtemp('/var/tmp/stagely-chaos-')
  undo.push(() => rm(dir, { recursive: true, force: true }))
  const engine = await startOwnEngine()
  undo.push(() => engine.stop())
  process.env['DOCKER_HOST'] = engine.host
  undo.push(() => Promise.resolve(delete process.env['DOCKER_HOST']))
  await makeTestImage()
  const database = await createTestDatabase(postgresUrl)
  undo.push(() => database.drop())
  const network = await startNetwork()
  undo.push(() => network.close())
  const [filesMount, temporary, clock] = ['files', 'tmp', 'clock'].map((name) => join(dir, name))
  await mountSmall(filesMount!, 1024)
  undo.push(() => run('umount', ['-l', filesMount!]))
  await mkdir(temporary!)
  await writeFile(clock!, '+0')
  const world = await startWorld({
    databaseUrl: database.url,
    controllerArgs: ['--advertise-url', `https://127.0.0.1:${network.port}`],
    agentArgs: ['--files-dir', join(filesMount!, 'stagely')],
    agentEnv: {
      DOCKER_HOST: engine.host,
      TMPDIR: temporary,
      LD_PRELOAD: faketimeLibrary(),
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      // Killed processes would leave it, and hang one that gets the same number some day.
      FAKETIME_DISABLE_SHM: '1',
    },
    withAgent: false,
  })
  undo.push(() => world.stop())
  network.target = Number(new URL(world.url).port)
  await mountSmall(world.agentDir, 1024)
  undo.push(() => run('umount', ['-l', world.agentDir]))
  const compose = composeText()
  const stack = await createStack(compose)
  undo.push(() => stack.remove())
  await world.startAgent()
  const applied = await world.apply(projectYaml() + stageletYaml(stack.directory, stack.project))
  if (applied.code !== 0) throw new Error(applied.stderr)
  const setClock = (seconds: number): Promise<void> =>
    writeFile(clock!, `${seconds < 0 ? '' : '+'}${seconds}`)
  return {
    world,
    stack,
    engine,
    network,
    database,
    dataMount: world.agentDir,
    filesMount: filesMount!,
    temporary: temporary!,
    compose,
    setClock,
    remove,
  }
}
