// `stagely controller install`: a hardened systemd service. Secrets go to a file that only root reads.
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { realClock } from '../../src/kernel/clock.ts'
import { readIfThere } from '../../src/kernel/whole-file.ts'
import { firstClosed, readOwnCommand } from '../../src/systemd/command-line.ts'
import {
  outcomeOf,
  putFile,
  startService,
  systemUnitDir,
  thisMachine,
  type Machine,
  type ServiceFile,
} from '../../src/systemd/service.ts'
import { stateFolderOf } from '../../src/systemd/unit.ts'
import { ConfigError, HelpAsked } from '../config-error.ts'
import { defaultUrl } from '../default-url.ts'
import { parseConfig, searchPath, serviceEnvironment, type Config } from '../config.ts'
import { printRemark, say } from '../print.ts'
import { loginHint } from '../files-for-people.ts'
import { parseServiceFlags, type ServiceFlags } from './flags.ts'
import { controllerService, parseEnvFile, renderControllerUnit, renderEnvFile } from './unit.ts'

const usage = `Usage: stagely controller install [flags of "stagely controller"]

Makes the controller a hardened systemd service that starts with the machine, under a user that exists
only for it. Again with other flags it changes the service. Needs root.

  --data-dir DIR    keys, CA, embedded database (/var/lib/stagely)
  --environment-file FILE
                    the service's environment, readable by root only (/etc/stagely/controller.env).
                    Where it does not exist it is made of STAGELY_SECRET_KEY, DATABASE_URL and the
                    like, as they are set now; it is never written over
  --user NAME       run as this existing user
  --dry-run         only show the unit, and what would be done
  --no-start        write the files; start nothing
  --unit-dir DIR    where the unit goes (${systemUnitDir})

Examples:
  stagely controller install --listen 0.0.0.0:8443 --advertise-url https://stagely.example.com:8443
  STAGELY_SECRET_KEY=$(openssl rand -base64 32) stagely controller install
  stagely controller install --dry-run
`

/** `argv` is what follows `stagely controller install`; resolves to the exit code. ConfigError for wrong usage. */
export const runInstall = async (argv: readonly string[], machine?: Machine): Promise<number> => {
  const flags = parseServiceFlags(argv)
  if (flags.help) throw new HelpAsked(usage)
  return install(flags, machine ?? thisMachine(searchPath()))
}

const readEnvFile = (path: string): Promise<string | undefined> =>
  readIfThere(path).catch((error: unknown) => {
    const code = (error as NodeJS.ErrnoException).code ?? 'failed'
    throw new ConfigError([`cannot read ${path} (${code}): run it as root`])
  })

const install = async (flags: ServiceFlags, machine: Machine): Promise<number> => {
  const kept = await readEnvFile(flags.envFile)
  const given = serviceEnvironment()
  const config = parseConfig(flags.args, kept === undefined ? given : parseEnvFile(kept))
  const command = await readOwnCommand(process.execPath, process.argv[1] ?? '')
  await checkReadable(flags, config, command.closedTo)
  const unit: ServiceFile = {
    path: join(flags.unitDir, `${controllerService}.service`),
    content: renderControllerUnit({
      command,
      args: flags.args,
      dataDir: config.dataDir,
      port: config.port,
      envFile: flags.envFile,
      user: flags.user,
    }),
    mode: 0o644,
  }
  const environment: ServiceFile = {
    path: flags.envFile,
    content: renderEnvFile(given),
    mode: 0o600,
    keep: true,
  }
  if (flags.dryRun) {
    say(unit.content)
    for (const file of [environment, unit])
      printRemark(`${file.path} would be ${await outcomeOf(file)}; nothing was written`)
    return 0
  }
  say(`${environment.path} ${await putFile(environment)}`)
  const outcome = await putFile(unit)
  say(`${unit.path} ${outcome}`)
  const isRunning = await start(flags, machine, { outcome, config })
  tellNext(config, given, { kept: kept !== undefined, isRunning })
  return 0
}

/** Found now, not by a service that does not start. */
const checkReadable = async (
  { user }: ServiceFlags,
  { dataDir, manifestsDir, tlsFiles }: Config,
  closedCommand: string | undefined,
): Promise<void> => {
  const faults: string[] = []
  if (user === undefined) {
    const remedy = 'or run it as a user who may: --user NAME'
    if (stateFolderOf(dataDir) === undefined)
      faults.push(`--data-dir ${dataDir} is not a folder in /var/lib: choose one, ${remedy}`)
    if (closedCommand !== undefined)
      faults.push(
        `the service's user cannot read ${closedCommand}: install stagely for everybody (npm install -g), ${remedy}`,
      )
    for (const path of [manifestsDir, tlsFiles?.certFile, tlsFiles?.keyFile]) {
      if (path === undefined) continue
      const closed = await firstClosed(path).catch(() => path)
      if (closed !== undefined)
        faults.push(`the service's user cannot read ${closed}: let others read it, ${remedy}`)
    }
  }
  if (faults.length > 0) throw new ConfigError(faults)
}

/** True where it runs. */
const start = async (
  { unitDir, noStart }: ServiceFlags,
  machine: Machine,
  { outcome, config }: { outcome: Awaited<ReturnType<typeof putFile>>; config: Config },
): Promise<boolean> => {
  const service = `${controllerService}.service`
  const isSystem = unitDir === systemUnitDir
  if (!noStart && isSystem && (await machine.hasSystemd())) {
    say(`${service} ${await startService(machine, service, outcome)}`)
    const isRunning = await listens(config)
    if (!isRunning)
      printRemark(`it does not listen yet: journalctl -u ${controllerService} says why`)
    return isRunning
  }
  const why = isSystem ? 'systemd does not run here' : `${unitDir} is not systemd's folder`
  printRemark(`not started (${noStart ? '--no-start' : why}). Start it with: systemctl daemon-reload && systemctl enable --now ${service}`) // prettier-ignore
  return false
}

/** The next command is a login: waits until the service takes one. False after a minute. */
const listens = async ({ host, port }: Config): Promise<boolean> => {
  for (let tries = 0; tries < 120; tries += 1) {
    const socket = connect({ host, port })
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isOpen) return true
    await realClock.sleep(500)
  }
  return false
}

const tellNext = (
  config: Config,
  given: Record<string, string>,
  { kept, isRunning }: { readonly kept: boolean; readonly isRunning: boolean },
): void => {
  if (kept && Object.keys(given).length > 0)
    printRemark(
      `${Object.keys(given).sort().join(', ')} as set now were not taken: the file is kept`,
    )
  if (
    config.keys.provider === 'local' &&
    config.databaseUrl === undefined &&
    !kept &&
    given['STAGELY_SECRET_KEY'] === undefined
  )
    // prettier-ignore
    printRemark(`the master key will be ${config.dataDir}/master.key: keep a copy elsewhere`)
  const url = config.advertiseUrl ?? defaultUrl(config, config.port)
  printRemark(loginHint(url, config, { isRunning }))
}
