// A name that one process of the machine holds at a time. An abstract Unix socket is the lock: the
// kernel frees it however the process ends, so that no stale lock file can ever be in the way.
import { createHash } from 'node:crypto'
import { createServer } from 'node:net'

/** Takes the name, of whatever length and text; undefined when it is taken. Returns release(). */
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
    server.listen(`\0stagely-${kind}-${hash}`, () => {
      resolve(true)
    })
  })
  if (!isHeld) return undefined
  server.unref()
  return () =>
    new Promise((resolve) => {
      server.close(() => {
        resolve()
      })
    })
}
