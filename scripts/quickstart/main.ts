// npm run quickstart: the main job on one machine, with public commands only. scripts/quickstart.sh
// has installed what is needed and calls this.
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { makeMissingImages, removeImages, shopImages } from '../lib/images.ts'
import { type Server } from '../lib/processes.ts'
import {
  choosePort,
  connected,
  keptMasterKey,
  pathsIn,
  root,
  stagely,
  startAgent,
  startController,
  stopLeftovers,
} from '../lib/stagely.ts'
import type { Connection, Paths } from '../lib/stagely.ts'
import { claimFolder } from './claim-folder.ts'
import { detail, QuickstartError, say, step, table } from './progress.ts'
import * as shop from './shop.ts'

const { values: flags } = parseArgs({
  options: {
    exit: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
})

/** Undone in reverse order at the end, whatever happened. */
const undo: { readonly label: string; readonly run: () => Promise<void> }[] = []
const interrupted = new AbortController()

const command = async (
  connection: Connection,
  args: readonly string[],
  stdin?: string,
): Promise<string> => {
  if (flags.verbose) detail(`$ npx stagely ${args.join(' ')}`)
  const outcome = await stagely(connection, args, stdin === undefined ? {} : { stdin })
  if (interrupted.signal.aborted) throw new QuickstartError('interrupted')
  if (outcome.code !== 0) {
    throw new QuickstartError(
      `stagely ${args.join(' ')} ended with ${outcome.code}:\n${outcome.stderr.trim() || outcome.stdout.trim()}`,
    )
  }
  return outcome.stdout
}

const bringUpController = async (paths: Paths): Promise<Connection> => {
  const databaseUrl = process.env.DATABASE_URL
  const port = await choosePort(paths, 8443)
  const where = databaseUrl === undefined ? 'embedded database' : 'DATABASE_URL'
  const controller = await step(`controller on https://127.0.0.1:${port} (${where})`, async () => {
    const masterKey =
      process.env.STAGELY_SECRET_KEY ??
      (databaseUrl === undefined ? undefined : keptMasterKey(paths))
    return startController(paths, { port, databaseUrl, masterKey })
  })
  undo.push({ label: 'stop the controller', run: () => controller.server.stop() })
  return controller
}

const bringUpAgent = async (paths: Paths, connection: Connection): Promise<void> => {
  const agent = await step(
    'agent "local"',
    async () => (await resumeAgent(paths)) ?? joinAgent(paths, connection),
  )
  undo.push({ label: 'stop the agent', run: () => agent.stop() })
  watchOver(agent)
}

/** A folder with keys in it has joined before; unless its controller has moved, or is another one. */
const resumeAgent = async (paths: Paths): Promise<Server | undefined> => {
  if (!existsSync(paths.agent) || readdirSync(paths.agent).length === 0) return undefined
  const agent = startAgent(paths, root, undefined)
  try {
    await connected(agent, 8_000)
    return agent
  } catch {
    await agent.stop()
    return undefined
  }
}

const joinAgent = async (paths: Paths, connection: Connection): Promise<Server> => {
  rmSync(paths.agent, { recursive: true, force: true })
  // A name with a key is taken until it is revoked: an earlier data folder may have had it.
  await stagely(connection, ['agent', 'revoke', 'local', '--yes'])
  const name = ['--namespace', 'default', '--name', 'local']
  const token = await command(connection, ['agent', 'token', 'create', ...name])
  const agent = startAgent(paths, root, token.trim())
  try {
    await connected(agent, 30_000)
    return agent
  } catch (error) {
    await agent.stop()
    throw error
  }
}

/** An agent that dies is said at once, not after the long wait that follows from it. */
const watchOver = (agent: Server): void => {
  const timer = setInterval(() => {
    if (agent.running()) return
    clearInterval(timer)
    if (undo.length > 0) detail(`the agent ended; the end of ${agent.logFile}:\n${agent.tail(8)}`)
  }, 250)
  timer.unref()
}

interface StageletStatus {
  readonly status?: {
    readonly services?: readonly {
      readonly name: string
      readonly keys?: readonly string[]
      readonly state?: string
    }[]
  }
}

const waitInSync = (connection: Connection, timeout: string): Promise<string> =>
  command(connection, [
    'wait',
    '--for=condition=SecretsInSync',
    'stagelet/shop',
    `--timeout=${timeout}`,
  ])

const bringUpShop = async (connection: Connection, stack: shop.Stack): Promise<void> => {
  undo.push({
    label: 'take the example down',
    run: async () => {
      await stagely(connection, ['delete', 'stagelet', 'shop', '--yes', '--timeout=20s'])
      await shop.removeStack(stack)
    },
  })
  await step('apply docs/examples/shop: stagelet and 6 secrets', () =>
    command(
      connection,
      ['apply', '-f', '-', '-f', relative(process.cwd(), shop.secretsFile)],
      shop.shopManifest(stack.directory),
    ),
  )
  await step('every container runs exactly its secrets', () => waitInSync(connection, '120s'))
  const stagelet = JSON.parse(
    await command(connection, ['get', 'stagelet', 'shop', '-o', 'json']),
  ) as StageletStatus
  say()
  say('  What each service sees:')
  table((stagelet.status?.services ?? []).map((s) => [s.name, (s.keys ?? []).join(', ')]))
  say()
}

const rotate = async (connection: Connection, stack: shop.Stack): Promise<void> => {
  const before = await shop.containersOf(stack)
  const name = 'stripe-secret-key.backend'
  // A new value each time, so that a second run rotates as well.
  const manifest = shop.secretManifest(
    name,
    `sk_test_rotated_${process.pid}_${Math.floor(performance.now())}`,
  )
  const started = performance.now()
  await step('rotate STRIPE_SECRET_KEY', async () => {
    await command(connection, ['apply', '-f', '-'], manifest)
    await waitInSync(connection, '60s')
  })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const after = await shop.containersOf(stack)
  const rows = after.map(({ service, id, startedAt }) => {
    const old = before.find((c) => c.service === service)
    const kept = old?.id === id && old.startedAt === startedAt
    return {
      service,
      kept,
      row: [
        service,
        `${old?.id.slice(0, 12) ?? '-'} → ${id.slice(0, 12)}`,
        kept ? 'kept' : 're-created',
      ],
    }
  })
  table(rows.map((r) => r.row))
  const recreated = rows.filter((r) => !r.kept).map((r) => r.service)
  if (recreated.join() !== 'backend') {
    throw new QuickstartError(
      `only backend should be re-created; re-created: ${recreated.join(', ') || 'none'}`,
    )
  }
  detail(
    `Only backend sees it, so only backend is new: ${seconds} s from the command to the checked container.`,
  )
  say()
}

const whatNext = async (connection: Connection, paths: Paths): Promise<void> => {
  const link = await command(connection, ['open', '--print'])
  say(
    '  The dashboard, logged in. The link is good once, for a minute; "npx stagely open" makes another.',
  )
  say('  Your browser does not know the certificate: it was made for this example.')
  detail(link)
  say()
  const token = relative(process.cwd(), join(paths.controller, 'admin-token'))
  say('  Try next, in another terminal:')
  detail(
    [
      `cd ${process.cwd()}`,
      `export STAGELY_SERVER=${connection.url}`,
      `export STAGELY_TOKEN=$(cat ${token})`,
      `export STAGELY_CA_FILE=${relative(process.cwd(), connection.env.STAGELY_CA_FILE)}`,
      'npx stagely open                        # the dashboard, logged in',
      'npx stagely get stagelets,stagelysecrets',
      'npx stagely describe stagelet shop',
      '# edit a value in docs/examples/shop/secrets.example.yaml, then:',
      'npx stagely diff -f docs/examples/shop/secrets.example.yaml    # who would be re-created, and why',
      'npx stagely apply -f docs/examples/shop/secrets.example.yaml',
    ].join('\n'),
  )
  say()
}

const untilInterrupted = async (): Promise<void> => {
  say('  Running. Ctrl-C ends it and takes the example down.')
  const keepAlive = setInterval(() => undefined, 60_000)
  await new Promise<void>((resolve) => {
    interrupted.signal.addEventListener('abort', () => resolve())
    if (interrupted.signal.aborted) resolve()
  })
  clearInterval(keepAlive)
  say()
}

const main = async (): Promise<void> => {
  const folder = process.env.DATABASE_URL === undefined ? 'quickstart' : 'quickstart-postgres'
  const paths = pathsIn(join(root, '.stagely', folder))
  mkdirSync(paths.dir, { recursive: true, mode: 0o700 })
  claimFolder(paths)
  await stopLeftovers(paths)
  const made = await step('images of the example (stand-ins where missing)', () =>
    makeMissingImages(shopImages),
  )
  if (made.length > 0)
    undo.push({ label: `remove the stand-ins ${made.join(', ')}`, run: () => removeImages(made) })
  const stack = await shop.prepareStack(paths.dir)
  if (stack.note !== undefined) detail(stack.note)
  const connection = await bringUpController(paths)
  await bringUpAgent(paths, connection)
  await bringUpShop(connection, stack)
  await rotate(connection, stack)
  if (flags.exit) return
  await whatNext(connection, paths)
  await untilInterrupted()
}

const finish = async (): Promise<void> => {
  for (const { label, run } of undo.splice(0).reverse()) {
    await step(label, run).catch((error: unknown) => detail(String(error)))
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort())
}

try {
  await main()
} catch (error) {
  // An interrupt is the reader's wish, not a failure.
  process.exitCode = interrupted.signal.aborted ? 130 : 1
  if (!interrupted.signal.aborted) {
    say()
    detail(error instanceof Error ? error.message : String(error))
    say()
  }
} finally {
  await finish()
}
say()
say(process.exitCode === undefined ? '  Done.' : '  Ended.')
