// One process for one data folder. An abstract Unix socket is the lock: the kernel frees it however
// the process ends, so that no stale lock file can ever keep a controller from starting.
import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { createServer } from 'node:net'
import { StagelyError } from '../../kernel/errors.ts'

/** Takes the folder, which must exist; Conflict when another process has it. Returns release(). */
export const lockFolder = async (folder: string): Promise<() => Promise<void>> => {
  const hash = createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 32)
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      const message = `the data folder ${folder} is in use by another Stagely process; stop that one, or give this one its own --data-dir`
      reject(taken ? new StagelyError('Conflict', message) : error)
    })
    server.listen(`\0stagely-${hash}`, resolve)
  })
  server.unref()
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve())
    })
}
