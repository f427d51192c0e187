import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Paths } from '../lib/stagely.ts'
import { QuickstartError } from './progress.ts'

/** A second quickstart in the same clone would take the first one's processes for leftovers. */
export const claimFolder = (paths: Paths): void => {
  const file = join(paths.dir, 'quickstart.pid')
  const pid = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const command = `/proc/${pid}/cmdline`
  if (
    pid !== '' &&
    existsSync(command) &&
    readFileSync(command, 'utf8').includes('quickstart/main')
  ) {
    throw new QuickstartError(`a quickstart already runs here: process ${pid}; Ctrl-C ends it`)
  }
  writeFileSync(file, String(process.pid))
}
