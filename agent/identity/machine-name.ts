// A name that only one process of the machine can have. The lock is an abstract Unix socket: the kernel frees it when the
// process ends, so that there is no stale lock file.
import { createHash } from 'node:crypto'
import { createServer } from 'node:net'

/** Takes the name, of any length and text, and returns release(); undefined when another process has the name. */
export const holdName = async (
  kind: string,
  name: string,
): Promise<(() => Promise<void>) | undefined> => {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 32)
  const server = createServer((socket) => socket.destroy())
  const isHeld = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      else reject(error)
    })
    server.listen(`\0stagely-${kind}-${hash}`, () => resolve(true))
  })
  if (!isHeld) return undefined
  server.unref()
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve())
    })
}
