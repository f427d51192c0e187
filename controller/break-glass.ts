// `stagely controller break-glass`: an admin's token for an emergency. Who runs it has the database and
// the master key, and could read everything anyway; this way is audited.
import { Command } from 'commander'
import { realClock, toTimestamp } from '../src/kernel/clock.ts'
import { createLogger } from '../src/kernel/log.ts'
import { openStore } from '../src/store/open/open-store.ts'
import { ConfigError } from './config-error.ts'
import { parseConfig, type Config } from './config.ts'
import { keepOwner, prepareControllerDataDir } from './data-dir.ts'
import { openMasterKeys } from './keys/master-keys.ts'

const log = createLogger('warn', { component: 'controller' })
const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000 }
const mostMs = 24 * 3_600_000

const ttlOf = (text: string): number => {
  const [, count = '', unit = ''] = /^(\d{1,4})([mh])$/.exec(text) ?? []
  const ms = Number(count) * (units[unit] ?? Number.NaN)
  if (ms > 0 && ms <= mostMs) return ms
  throw new ConfigError(['--ttl must be minutes or hours, such as 30m or 1h, and a day at most'])
}

const reasonOf = (text: string): string => {
  const reason = text.trim()
  if (reason.length >= 10 && reason.length <= 500 && !/\p{Cc}/u.test(reason)) return reason
  throw new ConfigError([
    '--reason must say in 10 to 500 characters why, such as a ticket and what is broken; never a secret',
  ])
}

interface Flags {
  readonly dataDir: string
  readonly reason: string
  readonly ttl: string
}

const breakGlass = async (flags: Flags): Promise<void> => {
  const wanted = { reason: reasonOf(flags.reason), ttlMs: ttlOf(flags.ttl) }
  const config = parseConfig(['--data-dir', flags.dataDir])
  await prepareControllerDataDir(config.dataDir, log)
  await keepOwner(config.dataDir, () => printToken(config, wanted))
}

const printToken = async (
  config: Config,
  wanted: { readonly reason: string; readonly ttlMs: number },
): Promise<void> => {
  const { databaseUrl, dataDir } = config
  const at = databaseUrl === undefined ? {} : { databaseUrl }
  const keyRing = await openMasterKeys(config, log, realClock)
  const opened = await openStore({ ...at, dataDir, keyRing, clock: realClock, log })
  try {
    const { secret, token } = await opened.tokens.breakGlass(wanted)
    process.stdout.write(`${secret}\n`)
    process.stderr.write(
      `an admin's token until ${toTimestamp(token.expiresAt ?? 0)}; all that it does is audited as break-glass ("stagely admin audit list --by break-glass"). When it is over: stagely admin user update break-glass --disabled\n`,
    )
  } finally {
    await opened.close()
  }
}

export const breakGlassCommand = (dataDirText: string): Command =>
  new Command('break-glass')
    .description(
      'Print a token of an admin for an emergency. The audit log says why and until when.',
    )
    .requiredOption('--data-dir <dir>', dataDirText)
    .requiredOption('--reason <text>', 'why; it is kept in the audit log')
    .option('--ttl <time>', 'how long it is good, in minutes or hours, a day at most', '1h')
    .addHelpText(
      'after',
      `
For when nobody can log in: the provider of logins is away, the admins are, or their tokens are lost.
With DATABASE_URL the controllers may run; an embedded database must be stopped for a moment.

Examples:
  export STAGELY_TOKEN=$(stagely controller break-glass --data-dir /var/lib/stagely --reason "INC-42: OIDC is down")`,
    )
    .action(breakGlass)
