import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { listen } from './server.ts'

it('closes at once although a browser keeps a connection ready, and ends a request that runs', async () => {
  const begun: (() => void)[] = []
  const server = await listen(
    (_, response) => {
      begun.push(() => response.end('answered'))
    },
    { host: '127.0.0.1', port: 0, tls: undefined },
  )
  const { port } = server.address
  const ready = connect(port, '127.0.0.1')
  await once(ready, 'connect')
  const running = fetch(`http://127.0.0.1:${port}/`)
  await expect.poll(() => begun.length).toBe(1)
  const isReadyClosed = once(ready, 'close')
  const closed = server.close()
  await isReadyClosed
  begun[0]?.()
  expect(await (await running).text()).toBe('answered')
  await closed
})
