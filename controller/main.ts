// `stagely controller`: reads the configuration, starts, says when it is ready, and stops on a signal.
import { realClock } from '../src/kernel/clock.ts'
import { isReason, messageOf } from '../src/kernel/errors.ts'
import { exitAfter } from '../src/kernel/async/exit-guard.ts'
import { createLogger, type Logger } from '../src/kernel/log.ts'
import { ConfigError, HelpAsked } from './config-error.ts'
import { parseConfig, type Config } from './config.ts'
import { loginCommand } from './files-for-people.ts'
import { startFault } from './start-fault.ts'
import { startController, type RunningController } from './wire.ts'

const leftMs = 1_000
/** From the signal on, also while the start still waits: systemd kills after 60 s, Kubernetes after 70 s. */
const longestStopMs = 57_000
const againMs = 1_000

/** Runs until SIGTERM or SIGINT. Resolves with the exit code: 0 stopped, 1 failed, 2 wrong usage. */
export const runController = async (argv: readonly string[]): Promise<number> => {
  if (['backup', 'restore', 'break-glass'].includes(argv[0] ?? '')) {
    const { runMaintenance } = await import('./maintenance.ts')
    return runMaintenance(argv).catch(explainOrFail)
  }
  if (argv[0] === 'install') {
    const { runInstall } = await import('./service/install.ts')
    return runInstall(argv.slice(1)).catch(explainOrFail)
  }
  if (argv[0] === 'uninstall') {
    const { runUninstall } = await import('./service/uninstall.ts')
    return runUninstall(argv.slice(1)).catch(explainOrFail)
  }
  let config: Config
  try {
    config = parseConfig(argv)
  } catch (error) {
    return explain(error)
  }
  const log = createLogger(config.logLevel, { component: 'controller' })
  exitOnCrash(log)
  try {
    await serve(config, log, signalled(log))
  } catch (error) {
    return error instanceof ConfigError ? explain(error) : failed(error, log, config.dataDir)
  }
  exitAfter(leftMs, {
    code: 0,
    why: () => log.warn({}, 'work that the stop has left behind is cut off'),
  })
  return 0
}

/** Until a signal. Where a controller is outdated, another one takes its place in this process. */
const serve = async (config: Config, log: Logger, stopAsked: Promise<string>): Promise<void> => {
  let controller = await startController(config, log, realClock)
  tellReady(controller, config)
  for (;;) {
    const signal = await Promise.race([stopAsked, controller.outdated])
    if (signal !== undefined) log.info({ signal }, 'stopping')
    else log.warn({}, 'the database was restored, or has lost commits: the controller begins anew')
    await controller.stop()
    if (signal !== undefined) return
    const next = await startAgain(config, log, stopAsked)
    if (next === undefined) return
    controller = next
    tellReady(controller, config)
  }
}

/** The database may be away again for a while. undefined: a signal came. */
const startAgain = async (
  config: Config,
  log: Logger,
  stopAsked: Promise<string>,
): Promise<RunningController | undefined> => {
  for (;;) {
    try {
      return await startController(config, log, realClock)
    } catch (error) {
      if (!isReason(error, 'ServiceUnavailable')) throw error
      log.warn({ err: messageOf(error) }, 'the controller could not begin anew; trying on')
    }
    const pause = realClock.sleep(againMs)
    if ((await Promise.race([stopAsked, pause])) !== undefined) return undefined
  }
}

/** What to do next, until the token of the first administrator is taken away. No secret: the token stays in its file. */
const tellReady = ({ url }: RunningController, config: Config): void => {
  const { dataDir, dashboard } = config
  const login = loginCommand(url, config)
  const next = [
    `to log in as its administrator: ${login}`,
    ...(dashboard ? [`the dashboard: ${url}/ui (logged in there: stagely open)`] : []),
    'to add a machine: stagely agent token create --name web-1 > token',
    'and on that machine: stagely agent install --join-file token --allow-dir /srv',
  ]
  const ready = `stagely controller ready on ${url} (data in ${dataDir})`
  for (const line of [ready, ...(login === undefined ? [] : next)])
    process.stdout.write(`${line}\n`)
}

const explainOrFail = (error: unknown): number =>
  error instanceof ConfigError || error instanceof HelpAsked
    ? explain(error)
    : failed(error, createLogger('error', { component: 'controller' }), 'this machine')

const explain = (error: unknown): number => {
  if (error instanceof HelpAsked) {
    process.stdout.write(error.message)
    return 0
  }
  if (!(error instanceof ConfigError)) throw error
  for (const fault of error.faults) process.stderr.write(`error: ${fault}\n`)
  process.stderr.write('see: stagely controller --help\n')
  return 2
}

/** A fault that a person can mend is one sentence; any other is logged with its stack. */
const failed = (error: unknown, log: Logger, dataDir: string): number => {
  const fault = startFault(error, dataDir)
  if (fault !== undefined) process.stderr.write(`error: ${fault}\n`)
  else
    log.error(
      { err: error instanceof Error ? error.stack : messageOf(error) },
      'the controller could not start',
    )
  return 1
}

/** The first signal stops gracefully, within `longestStopMs`; the second one ends the process at once. */
const signalled = (log: Logger): Promise<string> =>
  new Promise((resolve) => {
    let asked = false
    const onSignal = (signal: NodeJS.Signals): void => {
      if (asked) process.exit(1)
      asked = true
      exitAfter(longestStopMs, {
        code: 1,
        why: () => log.error({}, 'the stop took too long; exiting'),
      })
      resolve(signal)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })

const exitOnCrash = (log: Logger): void => {
  const crash = (error: unknown): void => {
    log.error(
      { err: error instanceof Error ? error.stack : String(error) },
      'a fault that nobody handled; exiting',
    )
    process.exit(1)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
}
