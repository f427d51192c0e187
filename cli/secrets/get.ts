// secrets get: one secret without its value; with --reveal the value, which is audited.
import type { SecretValue } from '../../src/generated/rest-types.ts'
import { askForAccess } from '../access/ask.ts'
import { asTable, pathOf } from '../connect/api.ts'
import { CliError, usageError } from '../errors.ts'
import { servedKind } from '../output/kinds.ts'
import { printAs, renderObjects } from '../output/output.ts'
import { out, outBytes } from '../print.ts'
import { renderTable, type ServerTable } from '../output/table.ts'
import type { Command, ObjectFlags, WaitFlags } from '../options.ts'
import { secretCommand, type SecretFlags } from '../objects/secret-flags.ts'
import { bytesOf, revealOne } from './reveal.ts'
import { openSecret } from '../objects/secret-identity.ts'

interface GetFlags extends Omit<SecretFlags, 'output'>, WaitFlags {
  readonly output?: ObjectFlags['output']
  readonly reveal?: boolean
  readonly version?: string
  readonly asWritten?: boolean
  readonly reason?: string
}

export const getCommand = (): Command =>
  secretCommand(
    'get -o=objects',
    'Show one secret: its version and state, or with --reveal its value.',
    [
      'stagely secrets get STRIPE_SECRET_KEY --project shop --scope backend',
      'stagely secrets get STRIPE_SECRET_KEY --project shop --scope backend --reveal',
      'stagely secrets get TLS_KEY --project shop --reveal > /dev/shm/tls.key',
    ],
  )
    .waiting('others have approved the request, with --reveal')
    .argument('<key>', 'variable name, such as DATABASE_URL')
    .option('--reveal', 'print the value; needs the right to read values, and is always audited')
    .option('--version <number>', 'with --reveal: an older version, as it was written')
    .option('--reason <text>', 'with --reveal: ask for access where values are guarded, and why')
    .option('--as-written', 'with --reveal: show ${KEY}, not the value that it stands for')
    .action(get)

const get = async (key: string, flags: GetFlags): Promise<void> => {
  const { output } = flags
  if (flags.version !== undefined && (flags.reveal !== true || !/^\d+$/.test(flags.version))) {
    throw usageError('--version goes with --reveal, and is a number')
  }
  if (flags.asWritten === true && flags.reveal !== true)
    throw usageError('--as-written goes with --reveal')
  const { api, rest, path, project, object, name } = await openSecret(key, flags)
  if (flags.reveal === true) {
    const version = flags.version === undefined ? undefined : Number(flags.version)
    const what = { version, as_written: flags.asWritten }
    const read = (): Promise<SecretValue> => revealOne(rest, path, what)
    const revealed = await read().catch(async (error: unknown) => {
      const { environment: _, output: __, ...asking } = flags
      await askForAccess(error, key, { ...asking, project })
      return read()
    })
    if (output === 'json' || output === 'yaml') await printAs(revealed, output, () => '')
    else if (output !== undefined) throw new CliError(`-o ${output} shows no value`, 2)
    else outBytes(bytesOf(revealed))
  } else if (output === undefined || output === 'wide') {
    const there = pathOf(servedKind('StagelySecret'), api.namespace, name)
    const table = (await api.call(there, { accept: asTable })) as ServerTable
    out(renderTable(table, { wide: output === 'wide' }))
  } else out(await renderObjects([object], output, true))
}
