// secrets edit: the value in an editor, in a file in memory. What the controller refuses can be mended there.
import { readFile } from 'node:fs/promises'
import { readEditor, readEnvironment, readRuntimeFolders } from '../config.ts'
import { CliError, renderError, usageError } from '../errors.ts'
import { entryText } from '../formats/entries.ts'
import { note } from '../print.ts'
import { canAsk, confirm } from '../prompt.ts'
import { memoryFolder, writePrivateFiles } from '../run/private-files.ts'
import { runForeground } from '../../src/process/foreground.ts'
import type { Command, WaitFlags } from '../options.ts'
import { secretCommand, type SecretFlags } from '../objects/secret-flags.ts'
import { bytesOf, revealOne } from './reveal.ts'
import { refuseGiven, writeSecret } from './set.ts'
import { openSecret } from '../objects/secret-identity.ts'

interface EditFlags extends SecretFlags, WaitFlags {
  readonly note?: string
}

export const editCommand = (): Command =>
  secretCommand('edit -m', 'Change a value in your editor; it is read, which is audited.', [
    'stagely secrets edit NGINX_CONF --project shop --scope web',
    'EDITOR="code --wait" stagely secrets edit LOG_LEVEL --project shop',
  ])
    .waiting('the containers that see it run it')
    .argument('<key>', 'variable name, such as DATABASE_URL')
    .action(edit)

const edit = async (key: string, flags: EditFlags): Promise<void> => {
  if (!canAsk())
    throw usageError('an editor needs a terminal: use "stagely secrets set" with stdin or a file')
  const folders = readRuntimeFolders()
  if ((await memoryFolder(folders)) === undefined)
    throw new CliError(
      `the value must not be written to a disk, and none of ${folders.join(', ')} is in memory: use "stagely secrets set"`,
    )
  const { rest, path: secret, object: stored } = await openSecret(key, flags)
  refuseGiven(key, stored)
  const revealed = await revealOne(rest, secret, { as_written: true })
  const before = entryText(bytesOf(revealed))
  if (before === undefined)
    throw new CliError(`the value of ${key} is not text: use "stagely secrets set --from-file"`)
  const value = Buffer.from(before)
  const file = await writePrivateFiles([{ variable: 'FILE', key, value }], folders)
  const path = file.paths[0]!.value
  const write = async (after: string): Promise<void> => {
    const expectVersion = revealed.version
    await writeSecret(key, { ...flags, expectVersion }, () => Promise.resolve(Buffer.from(after)))
  }
  try {
    await editUntilTaken({ key, path, before, write })
  } finally {
    await file.remove()
  }
}

interface Editing {
  readonly key: string
  readonly path: string
  readonly before: string
  readonly write: (after: string) => Promise<void>
}

const editUntilTaken = async ({ key, path, before, write }: Editing): Promise<void> => {
  for (let refused: string | undefined; ;) {
    await runEditor(path)
    const after = withoutAddedNewline(await readFile(path, 'utf8'), before)
    if (after === before || after === refused) {
      note(`The value of ${key} is as before: nothing was changed.`)
      return
    }
    if (after === '')
      throw usageError('the value is empty: nothing was changed; for an empty one use "set"')
    try {
      await write(after)
      return
    } catch (error) {
      note(renderError(error))
      refused = after
      await confirm({ question: 'Edit it again?' }, undefined)
    }
  }
}

const runEditor = async (path: string): Promise<void> => {
  // EDITOR may have arguments, as for git: the shell takes it apart. The path is no part of its text.
  const args = ['-c', `${readEditor()} "$1"`, 'sh', path]
  const ran = await runForeground({ file: 'sh', args, env: readEnvironment(), hasTerminal: true })
  if (ran.exitCode !== 0)
    throw new CliError(`the editor ended with ${ran.exitCode}: nothing was changed`)
}

/** Editors end a text with a newline. */
const withoutAddedNewline = (text: string, before: string): string =>
  before.endsWith('\n') ? text : text.replace(/\r?\n$/, '')
