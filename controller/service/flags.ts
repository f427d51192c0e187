// The flags of `controller install` and `uninstall`; all others are the controller's own.
import { withWholePaths } from '../../src/kernel/path-flags.ts'
import { systemUnitDir } from '../../src/systemd/service.ts'
import { ConfigError } from '../config-error.ts'
import { pathFlags } from '../config-flags.ts'

export interface ServiceFlags {
  readonly help: boolean
  readonly dryRun: boolean
  readonly noStart: boolean
  readonly purge: boolean
  readonly yes: boolean
  readonly unitDir: string
  readonly envFile: string
  readonly user: string | undefined
  readonly dataDir: string
  /** What follows `stagely controller`, with a data folder. */
  readonly args: readonly string[]
}

const ownPathFlags = ['--unit-dir', '--environment-file']

const defaultDataDir = '/var/lib/stagely'

/** ConfigError with all that is wrong. */
export const parseServiceFlags = (words: readonly string[]): ServiceFlags => {
  const argv = withWholePaths(words, [...ownPathFlags, ...pathFlags()])
  const on = new Set<string>()
  const values = new Map<string, string>()
  const args: string[] = []
  const faults: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!
    const [name = '', inline] = word.split(/=(.*)/s)
    if (['--dry-run', '--no-start', '--purge', '--yes', '-y', '--help', '-h'].includes(word))
      on.add(word)
    else if ([...ownPathFlags, '--user', '--data-dir'].includes(name)) {
      const value = inline ?? argv[++i]
      if (value === undefined || value === '') faults.push(`${name} wants a value`)
      else values.set(name, value)
    } else args.push(word)
  }
  const user = values.get('--user')
  if (user !== undefined && !/^[a-z_][a-z0-9_-]*\$?$/i.test(user))
    faults.push(`--user must be the name of a user; it is ${user}`)
  if (faults.length > 0) throw new ConfigError(faults)
  const dataDir = values.get('--data-dir') ?? defaultDataDir
  return {
    help: on.has('--help') || on.has('-h'),
    dryRun: on.has('--dry-run'),
    noStart: on.has('--no-start'),
    purge: on.has('--purge'),
    yes: on.has('--yes') || on.has('-y'),
    unitDir: values.get('--unit-dir') ?? systemUnitDir,
    envFile: values.get('--environment-file') ?? '/etc/stagely/controller.env',
    user,
    dataDir,
    args: ['--data-dir', dataDir, ...args],
  }
}
