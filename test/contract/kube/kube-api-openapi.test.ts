// The OpenAPI v3 index: what kubectl keeps on disk for as long as the hash in a URL stays.
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestController, type TestController } from '../../support/programs/controller.ts'

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
    const validator = new Validator()
    for (const { serverRelativeURL } of Object.values(paths)) {
      const document = (await server.call('GET', serverRelativeURL)).json()
      expect(await validator.validate(document)).toEqual({ valid: true })
    }
  })
})
