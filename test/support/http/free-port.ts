// A port for a server that a test starts, and may start again.
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below the range from which the system gives ports (32768 to 60999): nothing that asks for any port comes in between,
 * neither before the server listens nor while it is down.
 */
const [lowest, above] = [20_000, 32_768]

export const freePort = async (host = '127.0.0.1'): Promise<number> => {
  for (;;) {
    const port = randomInt(lowest, above)
    const server = createServer().listen(port, host)
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
