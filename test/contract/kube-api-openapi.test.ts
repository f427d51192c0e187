// The OpenAPI v3 index: what kubectl keeps on disk for as long as the hash in a URL stays.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestController, type TestController } from '../support/controller.ts'

const validator = join(import.meta.dirname, '../../node_modules/.bin/validate-api')

let server: TestController
beforeAll(async () => {
  server = await startTestController()
})
afterAll(() => server.remove())

interface Index {
  paths: Record<string, { serverRelativeURL: string }>
}

describe('the OpenAPI v3 index', () => {
  it('names documents that answer, with the hash of their URL as ETag', async () => {
    const { paths } = (await server.call('GET', '/openapi/v3')).json<Index>()
    expect(Object.keys(paths).sort()).toEqual(['api/v1', 'apis/stagely.dev/v1alpha1'])
    for (const { serverRelativeURL } of Object.values(paths)) {
      const answer = await server.call('GET', serverRelativeURL)
      expect(answer.status).toBe(200)
      const hash = new URL(serverRelativeURL, server.url).searchParams.get('hash')
      expect(answer.headers.etag).toBe(`"${hash}"`)
      expect(answer.headers['cache-control']).toBe('public, immutable')
      expect(answer.json()).toHaveProperty('components.schemas')
    }
  })

  it('and its documents are not sent again to who has them', async () => {
    const { paths } = (await server.call('GET', '/openapi/v3')).json<Index>()
    const urls = Object.values(paths).map(({ serverRelativeURL }) => serverRelativeURL)
    for (const url of ['/openapi/v3', ...urls]) {
      const { etag = '' } = (await server.call('GET', url)).headers
      const again = await server.call('GET', url, { headers: { 'if-none-match': etag } })
      expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag])
      const other = await server.call('GET', url, { headers: { 'if-none-match': '"other"' } })
      expect(other.status).toBe(200)
    }
  })

  it('name documents that a validator of OpenAPI 3.0 finds no fault with', async () => {
    const { paths } = (await server.call('GET', '/openapi/v3')).json<Index>()
    const folder = await mkdtemp(join(tmpdir(), 'stagely-openapi-'))
    try {
      for (const { serverRelativeURL } of Object.values(paths)) {
        const file = join(folder, 'document.json')
        await writeFile(file, (await server.call('GET', serverRelativeURL)).text)
        const { stdout } = await promisify(execFile)(process.execPath, [validator, file])
        expect(JSON.parse(stdout)).toMatchObject({ valid: true })
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
