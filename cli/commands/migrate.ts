// migrate: adopts a stack whose values another tool holds. Reads them into memory, then does as init.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readEnvironment } from '../config.ts'
import { CliError, usageError } from '../errors.ts'
import { sourceOfEnvironment, type StackSource } from '../migrate/environment.ts'
import { readKomodo } from '../migrate/komodo.ts'
import { readPortainer } from '../migrate/portainer.ts'
import { newCommand, type Command } from '../options.ts'
import { note } from '../print.ts'
import { adopt, withInitFlags, type InitFlags } from './init.ts'

interface MigrateFlags extends InitFlags {
  readonly from: string
  readonly stack?: string
  readonly url?: string
  readonly ca?: string
  readonly saveComposeFile?: boolean
}

export const command = (): Command =>
  withInitFlags(
    newCommand(
      'migrate -o',
      'Adopt a Compose project whose values another tool holds: Doppler, Infisical, SOPS, Portainer, Komodo.',
      [
        'doppler run -- stagely migrate /srv/shop --agent web-1',
        'infisical run --env=prod -- stagely migrate /srv/shop --dry-run',
        "sops exec-env secrets.env 'stagely migrate /srv/shop --agent web-1'",
        'stagely migrate /srv/shop --from portainer --url https://portainer:9443 --stack shop',
        'stagely migrate /srv/shop --from komodo --url https://komodo --stack shop --save-compose-file',
      ],
    ),
  )
    .option(
      '--from <tool>',
      'environment: the variables that this command was started with; portainer or komodo: their API',
      'environment',
    )
    .option('--url <url>', 'address of Portainer or Komodo')
    .option('--ca <file>', 'certificate of the authority that signed the one of --url')
    .option('--stack <name>', 'the stack there; the name of the folder when absent')
    .option(
      '--save-compose-file',
      'write the compose file that the tool holds into the folder, where none is',
    )
    .action(migrate)

const migrate = async (dir: string, flags: MigrateFlags): Promise<void> => {
  if (flags.dryRun === true && flags.saveComposeFile === true)
    throw usageError('--dry-run writes no file: leave out --save-compose-file')
  const source = await readSource(dir, flags)
  if (source.variables.size === 0)
    throw new CliError(`${source.name} has no variables for this stack: "stagely init" reads files`)
  if (flags.saveComposeFile === true) await saveComposeFile(dir, source)
  await adopt(dir, flags, source)
  if (flags.dryRun !== true)
    note(
      `The values are in Stagely now. Once "stagely status" says that the stack is in sync, take the stack out of ${source.name === 'environment' ? 'the other tool' : source.name}.`,
    )
}

const readSource = async (dir: string, flags: MigrateFlags): Promise<StackSource> => {
  const { from, url, ca: caFile, stack = dir.replace(/\/+$/, '').split('/').at(-1)! } = flags
  if (from === 'environment') return sourceOfEnvironment(readEnvironment())
  if (from === 'portainer') return readPortainer(stack, { url, caFile })
  if (from === 'komodo') return readKomodo(stack, { url, caFile })
  throw usageError(
    `--from ${from} is not known; use environment, portainer or komodo. Doppler, Infisical and SOPS start this command, as in "doppler run -- stagely migrate"`,
  )
}

const saveComposeFile = async (dir: string, { name, composeFile }: StackSource): Promise<void> => {
  if (composeFile === undefined) throw new CliError(`${name} holds no compose file of this stack`)
  const path = join(dir, 'compose.yaml')
  await writeFile(path, composeFile, { flag: 'wx' }).catch((error: unknown) => {
    if ((error as { code?: string }).code !== 'EEXIST') throw error
    throw new CliError(`${path} is there already: --save-compose-file overwrites no file`)
  })
  note(`Written: ${path}, as ${name} has it.`)
}
