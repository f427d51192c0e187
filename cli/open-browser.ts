// Opens a link in the browser of whoever sits here.
import { homedir } from 'node:os'
import { startDetached } from '../src/process/detached.ts'
import { readEnvironment } from './config.ts'

/** The system's program that opens a link; undefined where no browser can show it. */
const openerOf = (env: Readonly<Record<string, string>>): string | undefined => {
  if (process.platform === 'darwin') return env['SSH_CONNECTION'] === undefined ? 'open' : undefined
  const hasScreen = env['DISPLAY'] !== undefined || env['WAYLAND_DISPLAY'] !== undefined
  return hasScreen ? 'xdg-open' : undefined
}

/** False where no browser can show it. */
export const openBrowser = async (url: string): Promise<boolean> => {
  const all = readEnvironment()
  const opener = openerOf(all)
  if (opener === undefined) return false
  // A browser has no use for tokens.
  const env = Object.fromEntries(
    Object.entries(all).filter(([name]) => !name.startsWith('STAGELY_')),
  )
  return startDetached({ file: opener, args: [url], cwd: homedir(), env })
}
