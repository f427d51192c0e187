// backup: a snapshot of the running controller. Values in it stay sealed.
import { openClient } from '../connect/client.ts'
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { CliError, usageError } from '../errors.ts'
import { newCommand, type Command, type CommonFlags } from '../options.ts'
import { out } from '../print.ts'
import { type RestClient } from '../connect/rest.ts'
import { unbroken } from '../connect/transport.ts'

export const command = (): Command =>
  newCommand(
    'backup',
    'Take a backup of the running controller. For admins. "stagely restore --help" says how to use it.',
    [
      'stagely admin backup --to stagely-$(date +%F).backup',
      'stagely admin backup --to - | ssh vault "cat > stagely.backup"',
    ],
  )
    .requiredOption('--to <file>', 'a new file, or - for stdout')
    .action(backup)

/** CliError when the connection breaks. */
const readBackup = async (rest: RestClient): Promise<AsyncIterable<Buffer>> =>
  unbroken(rest.server, await rest.stream('/backup', { accept: 'application/gzip' }), undefined)

const toStdout = async (flags: CommonFlags): Promise<void> => {
  if (process.stdout.isTTY)
    throw usageError('a backup is no text for a terminal: give a file, or a pipe')
  const { rest } = await openClient(flags)
  await pipeline(await readBackup(rest), process.stdout)
}

const backup = async ({ to, ...flags }: CommonFlags & { to: string }): Promise<void> => {
  if (to === '-') return toStdout(flags)
  const exists = await stat(to).then(
    () => true,
    () => false,
  )
  if (exists) throw usageError(`${to} exists already: name another file`)
  const { rest } = await openClient(flags)
  const partial = `${to}.partial`
  try {
    await pipeline(await readBackup(rest), createWriteStream(partial, { flags: 'wx', mode: 0o600 }))
    await rename(partial, to)
  } catch (error) {
    await rm(partial, { force: true })
    if (error instanceof Error && 'code' in error && 'syscall' in error)
      throw new CliError(`${to} cannot be written (${String(error.code)})`, 1, error)
    throw error
  }
  const { size } = await stat(to)
  out(
    `${to}: ${size} bytes; keep it apart from the master keys that it needs ("stagely admin keys status")`,
  )
}
