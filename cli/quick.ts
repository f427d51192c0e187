// What must be there at once: the version, and what completes words in a shell. It loads no parser and no command.

import { endQuietlyWhenNobodyReads, out } from './print.ts'

/** False where the words ask for something else. */
export const runQuickly = async ([name, ...rest]: readonly string[]): Promise<boolean> => {
  if (name === 'version' || name === '--version' || name === '-V') {
    const { version } = await import('../src/kernel/version.ts')
    endQuietlyWhenNobodyReads()
    out(version)
    return true
  }
  // Called by the scripts that `stagely completion` prints.
  if (name === '__complete') {
    const { complete } = await import('./completion/complete.ts')
    endQuietlyWhenNobodyReads()
    await complete(rest)
    return true
  }
  if (name !== 'completion' || rest.length !== 1) return false
  const { isShell, printScript } = await import('./completion/scripts.ts')
  const [shell] = rest
  if (!isShell(shell)) return false
  endQuietlyWhenNobodyReads()
  printScript(shell)
  return true
}
