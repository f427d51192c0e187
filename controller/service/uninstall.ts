// `stagely controller uninstall`: takes the service away; data and keys stay unless told.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  removeService,
  thisMachine,
  systemUnitDir,
  type Machine,
} from '../../src/systemd/service.ts'
import { stateFolderOf } from '../../src/systemd/unit.ts'
import { ConfigError, HelpAsked } from '../config-error.ts'
import { searchPath } from '../config.ts'
import { printRemark, say } from '../print.ts'
import { isAllowed } from '../ask.ts'
import { parseServiceFlags, type ServiceFlags } from './flags.ts'
import { controllerService } from './unit.ts'

const usage = `Usage: stagely controller uninstall [--purge] [--yes] [--data-dir DIR] [--environment-file FILE]

Stops the controller's service and removes its unit, after a question. Containers run on everywhere; agents try to come
back until there is a controller again.

  --purge          also remove the data folder and the environment file: secrets, keys, and with the
                   embedded database everything. Take a backup before
  --yes, -y        do not ask
  --data-dir DIR   (/var/lib/stagely)
  --environment-file FILE  (/etc/stagely/controller.env)
  --unit-dir DIR   where the unit is (${systemUnitDir})

Examples:
  stagely controller uninstall
  stagely admin backup --to stagely.backup && stagely controller uninstall --purge
`

const mayGo = ({ purge, dataDir, envFile }: ServiceFlags): Promise<boolean> =>
  isAllowed({
    question: 'Take the controller away from this machine?',
    details: [
      'Containers run on everywhere, and no new secret reaches them.',
      purge
        ? `${dataDir} and ${envFile} go, with secrets and keys: only a backup and its master keys bring them back.`
        : `${dataDir} and ${envFile} are kept: "stagely controller install" goes on with them.`,
    ],
  })

/** `argv` is what follows `stagely controller uninstall`; resolves to the exit code. */
export const runUninstall = async (argv: readonly string[], machine?: Machine): Promise<number> => {
  const flags = parseServiceFlags(argv)
  if (flags.help) throw new HelpAsked(usage)
  const unknown = flags.args.slice(2)
  if (unknown.length > 0) throw new ConfigError(unknown.map((word) => `unknown argument: ${word}`))
  const { unitDir, dataDir, envFile } = flags
  if (!flags.yes && !(await mayGo(flags))) return 2
  const service = `${controllerService}.service`
  const host = machine ?? thisMachine(searchPath())
  const manage = unitDir === systemUnitDir && (await host.hasSystemd())
  const unitPath = join(unitDir, service)
  const wasThere = await removeService(host, { service, unitPath, manage })
  say(wasThere ? `${service} removed` : `${unitPath} is not there`)
  if (flags.purge) {
    const state = stateFolderOf(dataDir)
    const own = state === undefined ? [] : [join('/var/lib/private', state)]
    for (const path of [dataDir, ...own, envFile]) await rm(path, { recursive: true, force: true })
    say(`${dataDir} and ${envFile} removed`)
  } else {
    printRemark(`${dataDir} and ${envFile} are kept: they hold the keys. --purge removes them`)
  }
  printRemark('containers run on everywhere; no new secret reaches them, and agents go on trying')
  return 0
}
