// How `keys rotate --wait` ends. The controller is played: a rotation that fails, or is forgotten, is none
// that a real one gives on demand.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { runCli } from '../../support/programs/cli.ts'
import type { Ran } from '../../support/programs/processes.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

const rotation = (state: string, done: number, message = ''): object => ({
  id: 'rot_1',
  kind: 'data',
  state,
  done,
  message,
})

/** Begins a rotation, and then shows these lists of rotations, the last one for ever. */
const rotateWith = async (lists: readonly object[][], ...flags: string[]): Promise<Ran> => {
  let looks = 0
  server = createServer((request, response) => {
    const begins = request.method === 'POST'
    const rotations = lists[Math.min(looks, lists.length - 1)]
    if (!begins) looks++
    const body = begins ? rotation('Running', 0) : { keys: [], rotations, sealed_by_old_keys: 7 }
    response.writeHead(begins ? 202 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const env = { STAGELY_SERVER: `http://127.0.0.1:${port}`, STAGELY_TOKEN: 'st_test' }
  return runCli(['admin', 'keys', 'rotate', '--all', '--wait', ...flags], env)
}

describe('a wait for a rotation of keys', () => {
  it('tells how far it is, and ends with 0 when it is done', async () => {
    const ran = await rotateWith([[rotation('Running', 40)], [rotation('Succeeded', 47)]])
    expect(ran).toMatchObject({ code: 0, stdout: 'rotation rot_1 Succeeded, 47 done\n' })
    expect(ran.stderr).toContain('40 done, 7 left')
  })

  it('ends with 1 and the reason when it fails', async () => {
    const ran = await rotateWith([[rotation('Failed', 3, 'the key service refuses')]])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('the key service refuses')
  })

  it('ends with 1 when nobody lists it any more', async () => {
    const ran = await rotateWith([[rotation('Running', 3)], []])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('rotation rot_1 is no longer among those')
  })

  it('ends with 1 after its time, and says that the rotation goes on', async () => {
    const ran = await rotateWith([[rotation('Running', 3)]], '--timeout', '1s')
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/timed out after 1 s: rotation rot_1 goes on .* 3 done/)
  })
})
