// The pre-commit hook. A hook can be skipped: the gate is CI.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CliError } from '../errors.ts'
import { hooksFolder } from './git.ts'

const mark = '# Made by "stagely scan install-hook".'
const content = `#!/bin/sh\n${mark}\nexec stagely scan --staged\n`

/** The path of the hook. CliError where another hook is there. */
export const installHook = async (folder: string): Promise<string> => {
  const hooks = resolve(folder, await hooksFolder(folder))
  const path = join(hooks, 'pre-commit')
  const before = await readFile(path, 'utf8').catch(() => undefined)
  if (before?.includes(mark) === false)
    throw new CliError(
      `${path} is another hook: add the line "stagely scan --staged || exit 1" to it`,
    )
  await mkdir(hooks, { recursive: true })
  await writeFile(path, content)
  await chmod(path, 0o755)
  return path
}
