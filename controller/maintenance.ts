// `stagely controller backup`, `restore` and `break-glass`: commands on a controller's database.
import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { realClock } from '../src/kernel/clock.ts'
import { createLogger } from '../src/kernel/log.ts'
import { describeWrap } from '../src/secrets/key-provider.ts'
import { writeBackup } from '../src/store/backup/dump.ts'
import { checkBackup, restoreBackup } from '../src/store/backup/restore.ts'
import { openDatabase } from '../src/store/open/open-store.ts'
import type { Sql } from '../src/store/drivers/sql.ts'
import { isAllowed } from './ask.ts'
import { breakGlassCommand } from './break-glass.ts'
import { ConfigError, HelpAsked } from './config-error.ts'
import { parseConfig, type Config } from './config.ts'
import { keepOwner, prepareControllerDataDir } from './data-dir.ts'
import { readKeyFile } from './keys/key-file.ts'
import { openMasterKeys } from './keys/master-keys.ts'
import { say } from './print.ts'

const log = createLogger('warn', { component: 'controller' })

/** One statement of a backup may read a large table. */
const deadlineMs = 600_000

const withDatabase = async (
  dataDir: string,
  work: (sql: Sql) => Promise<void>,
  config = parseConfig(['--data-dir', dataDir]),
): Promise<void> => {
  await prepareControllerDataDir(dataDir, log)
  const { databaseUrl } = config
  const at = databaseUrl === undefined ? {} : { databaseUrl }
  await keepOwner(dataDir, async () => {
    const sql = await openDatabase({ ...at, dataDir, clock: realClock, log, deadlineMs })
    try {
      await work(sql)
    } finally {
      await sql.close()
    }
  })
}

const keyNames = (prefixes: readonly string[]): string =>
  prefixes.length === 0 ? 'no master key' : prefixes.map(describeWrap).join(', ')

const backup = async ({ dataDir, to }: { dataDir: string; to: string }): Promise<void> => {
  if (to === '-')
    throw new ConfigError(['--to - is known to "stagely admin backup" only; name a file here'])
  await withDatabase(dataDir, async (sql) => {
    const { rows, sha256, keys } = await writeBackup(sql, to, realClock.now())
    say(`${to}: ${rows} rows, sha256 ${sha256}; to restore it you need ${keyNames(keys)}`)
  })
}

/** A starting controller creates a missing key. With a new key nothing of a backup could be opened. */
const requireMasterKey = async ({ keys, dataDir }: Config): Promise<void> => {
  if (keys.provider !== 'local' || keys.secretKey !== undefined) return
  const path = join(dataDir, 'master.key')
  if ((await readKeyFile(path)) !== undefined) return
  throw new ConfigError([
    `a restore needs the master key of the controller that was backed up: put its master.key at ${path} (mode 0600), or set STAGELY_SECRET_KEY`,
  ])
}

const restore = async (
  path: string,
  { dataDir, force, yes }: { dataDir: string; force?: true; yes?: true },
): Promise<void> => {
  try {
    await access(path, constants.R_OK)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'failed'
    throw new ConfigError([`cannot read the backup ${path} (${code})`])
  }
  const question = `Replace all that the database holds by the backup ${path}?`
  const details = ['What it holds now is lost, if no backup of it was taken before.']
  if (force === true && yes !== true && !(await isAllowed({ question, details })))
    throw new ConfigError(['the database was not touched'])
  const config = parseConfig(['--data-dir', dataDir])
  await requireMasterKey(config)
  // Before a database is made: a refused restore leaves nothing behind.
  const provider = await openMasterKeys(config, log, realClock)
  const backup = await checkBackup(path, provider).finally(() => provider.close())
  await withDatabase(
    dataDir,
    async (sql) => {
      const done = await restoreBackup(sql, backup, { clock: realClock, force: force === true })
      say(
        `restored ${done.rows} rows of ${done.takenAt} as epoch ${done.epoch}; start the controller: agents follow by themselves`,
      )
    },
    config,
  )
}

const dataDirText = 'the data folder of the controller; the database is there, or at DATABASE_URL'

/** `restore` is a command of its own; the others are called through "stagely controller". */
const program = (name: string | undefined): Command => {
  const group = new Command(name === 'restore' ? 'stagely' : 'stagely controller')
  const all = [
    group
      .command('backup')
      .description(
        'Write a backup of a controller that is stopped. Online: "stagely admin backup".',
      )
      .requiredOption('--data-dir <dir>', dataDirText)
      .requiredOption('--to <file>', 'a file that does not exist yet')
      .addHelpText(
        'after',
        '\nExamples:\n  stagely controller backup --data-dir /var/lib/stagely --to stagely.backup',
      )
      .action(backup),
    group
      .command('restore')
      .description('Read a backup into the database of a controller that is stopped.')
      .argument('<file>', 'the backup')
      .requiredOption('--data-dir <dir>', dataDirText)
      .option('--force', 'replace all that the database holds, after a question')
      .option('-y, --yes', 'do not ask')
      .addHelpText(
        'after',
        `
The master keys that the backup needs are given as to the controller: STAGELY_SECRET_KEY,
STAGELY_SECRET_KEY_PREVIOUS, STAGELY_KEY_PROVIDER; "stagely controller --help" lists them. Where the
old controller had made its own, put its master.key into the new data folder first.

Examples:
  STAGELY_SECRET_KEY=... stagely restore stagely.backup --data-dir /var/lib/stagely`,
      )
      .action(restore),
  ]
  const breaking = breakGlassCommand(dataDirText)
  group.addCommand(breaking)
  for (const command of [group, ...all, breaking]) command.exitOverride()
  return group
}

/** `argv` begins with backup, restore or break-glass. Resolves with the exit code. */
export const runMaintenance = async (argv: readonly string[]): Promise<number> => {
  const group = program(argv[0])
  try {
    await group.parseAsync([...argv], { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof ConfigError || error instanceof HelpAsked) throw error
    throw error
  }
}
