// The programs under test: a controller on its embedded database and an agent, over TLS, in a
// temporary folder, with the stacks that the process rows need.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAtLeast } from '../../src/compose/compose.ts'
import { freePort, run, until, type Server } from '../../scripts/lib/processes.ts'
import {
  connected,
  pathsIn,
  stagely,
  startAgent,
  startController,
} from '../../scripts/lib/stagely.ts'
import type { Controller, Paths } from '../../scripts/lib/stagely.ts'
import {
  isInSync,
  manifest,
  openApiClient,
  secretManifest,
  type ApiClient,
  type StageletView,
} from './client.ts'
import { createStack, removeStack, type Stack } from './stacks.ts'

/** The main stack: ten services, some of which others depend on, and one apart. */
const mainServices = {
  db: [],
  cache: [],
  queue: [],
  api: ['db', 'cache'],
  web: ['api'],
  admin: ['api'],
  jobs: ['queue', 'db'],
  mailer: ['queue'],
  search: ['db'],
  worker: [],
}

/** Secrets of the main stack, by scope. */
export const secrets: readonly { readonly name: string; readonly scope: string }[] = [
  { name: 'database-url', scope: 'global' },
  { name: 'redis-url', scope: 'global' },
  { name: 'api-key', scope: 'api' },
  { name: 'db-password', scope: 'db' },
  { name: 'web-token', scope: 'web' },
  { name: 'worker-a', scope: 'worker' },
  { name: 'worker-b', scope: 'worker' },
  { name: 'cache-password', scope: 'cache' },
  { name: 'queue-password', scope: 'queue' },
  { name: 'admin-session', scope: 'admin' },
  { name: 'jobs-token', scope: 'jobs' },
  { name: 'smtp-password', scope: 'mailer' },
  { name: 'search-key', scope: 'search' },
]

export interface Settling {
  readonly timeoutMs: number
  readonly everyMs: number
  readonly isMet?: (view: StageletView) => boolean
}

export interface World {
  readonly paths: Paths
  controller: Controller
  readonly agent: Server
  readonly api: ApiClient
  readonly main: Stack
  /** Milliseconds of wall time at which each Compose process of the agent started. */
  composeStarts(): number[]
  /** The Compose that the agent uses. */
  readonly compose: {
    readonly binary: string
    readonly version: string
    readonly knowsHooks: boolean
  }
  /** Applies these manifests. */
  apply(objects: readonly string[]): Promise<void>
  /** Until the stagelet is in sync, or all that `isMet` asks for. */
  settled(stagelet?: string, until?: Settling): Promise<void>
  /** Stops the controller and starts it again on the same data; for start-up times. */
  restartController(): Promise<void>
  stop(): Promise<void>
}

/**
 * A plugin that notes when it is started and becomes the real Compose. It adds about 2 ms to every
 * start, on our side of the comparison only.
 */
const createShim = async (
  dir: string,
): Promise<{ config: string; log: string; compose: World['compose'] }> => {
  const found = await run('sh', [
    '-c',
    'ls /usr/local/lib/docker/cli-plugins/docker-compose /usr/local/libexec/docker/cli-plugins/docker-compose /usr/lib/docker/cli-plugins/docker-compose /usr/libexec/docker/cli-plugins/docker-compose 2>/dev/null; command -v docker-compose',
  ])
  const real = process.env['STAGELY_BENCH_COMPOSE'] ?? found.stdout.split('\n')[0] ?? ''
  if (real === '') throw new Error('no docker-compose found')
  const log = join(dir, 'compose-starts')
  const plugins = join(dir, 'docker-config/cli-plugins')
  mkdirSync(plugins, { recursive: true })
  writeFileSync(log, '')
  const file = join(plugins, 'docker-compose')
  writeFileSync(file, `#!/bin/sh\ndate +%s%N >> '${log}'\nexec '${real}' "$@"\n`)
  chmodSync(file, 0o755)
  const version = (await run(real, ['version', '--short'])).stdout.trim()
  const compose = { binary: real, version, knowsHooks: isAtLeast(version, '2.30.0') }
  return { config: join(dir, 'docker-config'), log, compose }
}

/** `env`: of the controller. */
export const startWorld = async (env: Record<string, string> = {}): Promise<World> => {
  const dir = mkdtempSync(join(tmpdir(), 'stagely-bench-'))
  const paths = pathsIn(dir)
  const port = await freePort(0)
  const shim = await createShim(dir)
  process.env.DOCKER_CONFIG = shim.config
  let controller = await startController(paths, { port, env })
  const cli = async (args: readonly string[], stdin = ''): Promise<string> => {
    const outcome = await stagely(controller, args, { stdin })
    if (outcome.code !== 0)
      throw new Error(`stagely ${args.join(' ')}: ${outcome.stderr || outcome.stdout}`)
    return outcome.stdout
  }
  const token = await cli(['agent', 'token', 'create', '--namespace', 'default', '--name', 'bench'])
  const agent = startAgent(paths, dir, token.trim())
  await connected(agent, 30_000)
  delete process.env.DOCKER_CONFIG

  const main = createStack(dir, 'main', mainServices)
  const others = [1, 2, 3, 4].map((i) => createStack(dir, `small-${i}`, { app: [] }))
  const stacks = [main, ...others]
  const stagelet = (stack: Stack): string =>
    manifest('Stagelet', stack.name, {
      projectRef: { name: stack.name },
      agentRef: { name: 'bench' },
      compose: { directory: stack.directory, projectName: stack.project },
    })
  const secret = (name: string, scope: string, project: string): string =>
    secretManifest({ name, scope, project, value: `first value of ${name}` })
  const objects = [
    manifest('Agent', 'bench', {}),
    ...stacks.map((s) => manifest('Project', s.name, {})),
    ...secrets.map((s) => secret(s.name, s.scope, main.name)),
    ...others.map((s) => secret(`${s.name}-token`, 'global', s.name)),
    ...stacks.map(stagelet),
  ]
  let api = openApiClient(controller)
  const apply = async (all: readonly string[]): Promise<void> => {
    await cli(['apply', '-f', '-'], all.join('\n---\n'))
  }
  const settled: World['settled'] = async (
    name = main.name,
    { timeoutMs, everyMs, isMet = isInSync } = { timeoutMs: 90_000, everyMs: 20 },
  ) => {
    let last = ''
    await until(
      async () => {
        const view = await api.stagelet(name)
        last = JSON.stringify(view.status?.conditions)
        return isMet(view) ? true : undefined
      },
      timeoutMs,
      () =>
        new Error(
          `stagelet ${name} is not in sync after ${timeoutMs / 1000} s: ${last}\n${agent.tail(10)}`,
        ),
      everyMs,
    )
  }
  const stop = async (): Promise<void> => {
    api.close()
    await agent.stop()
    await controller.server.stop()
    for (const stack of stacks) await removeStack(stack)
    rmSync(dir, { recursive: true, force: true })
  }
  const world: World = {
    paths,
    controller,
    agent,
    get api() {
      return api
    },
    main,
    compose: shim.compose,
    apply,
    composeStarts: () =>
      readFileSync(shim.log, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => Number(line) / 1e6),
    settled,
    restartController: async () => {
      api.close()
      await controller.server.stop()
      controller = await startController(paths, { port, env })
      world.controller = controller
      api = openApiClient(controller)
    },
    stop,
  }
  try {
    await apply(objects)
    for (const stack of stacks) await settled(stack.name)
  } catch (error) {
    await stop()
    throw error
  }
  return world
}
