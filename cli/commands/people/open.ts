// open: a link that logs a browser in as you, so that nobody has to paste a token.
import { homedir } from 'node:os'
import type { Command } from 'commander'
import { startDetached } from '../../../src/process/detached.ts'
import { readEnvironment } from '../../config.ts'
import { CliError } from '../../errors.ts'
import { newCommand, type CommonFlags } from '../../options.ts'
import { note, out } from '../../print.ts'
import { openRest } from '../../connect/rest.ts'

interface Flags extends CommonFlags {
  readonly print?: boolean
}

export const command = (): Command =>
  newCommand('open', 'Open the dashboard in a browser, logged in as you.', [
    'stagely open',
    'stagely open --print    # on a machine without a browser, or one that others use',
  ])
    .option('--print', 'only print the link; it works once, for a minute')
    .action(open)

const open = async (flags: Flags): Promise<void> => {
  const rest = await openRest(flags)
  const { body } = await rest.call<{ url?: string }>('/session/codes', { method: 'POST' })
  if (body.url === undefined)
    throw new CliError('the link was shown to an earlier request: run "stagely open" again')
  out(body.url)
  if (flags.print === true) return
  const isOpen = await startBrowser(body.url)
  note(isOpen ? 'Opened in your browser.' : 'No browser here: open the link within a minute.')
}

/** The system's program that opens a link; undefined where no browser can show it. */
const openerOf = (env: Readonly<Record<string, string>>): string | undefined => {
  if (process.platform === 'darwin') return env['SSH_CONNECTION'] === undefined ? 'open' : undefined
  const hasScreen = env['DISPLAY'] !== undefined || env['WAYLAND_DISPLAY'] !== undefined
  return hasScreen ? 'xdg-open' : undefined
}

const startBrowser = async (url: string): Promise<boolean> => {
  const all = readEnvironment()
  const opener = openerOf(all)
  if (opener === undefined) return false
  // A browser has no use for tokens.
  const env = Object.fromEntries(
    Object.entries(all).filter(([name]) => !name.startsWith('STAGELY_')),
  )
  return startDetached({ file: opener, args: [url], cwd: homedir(), env })
}
