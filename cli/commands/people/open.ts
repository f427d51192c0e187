// open: a link that logs a browser in as you, so that nobody has to paste a token.
import { openClient } from '../../connect/client.ts'
import { CliError } from '../../errors.ts'
import { newCommand, type Command, type CommonFlags } from '../../options.ts'
import { openBrowser } from '../../open-browser.ts'
import { note, out } from '../../print.ts'

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
  const { rest } = await openClient(flags)
  const { body } = await rest.call<{ url?: string }>('/session/codes', { method: 'POST' })
  if (body.url === undefined)
    throw new CliError('the link was shown to an earlier request: run "stagely open" again')
  out(body.url)
  if (flags.print === true) return
  const isOpen = await openBrowser(body.url)
  note(isOpen ? 'Opened in your browser.' : 'No browser here: open the link within a minute.')
}
