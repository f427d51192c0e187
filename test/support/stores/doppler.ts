// Doppler, as its documents describe it.
import { createHash } from 'node:crypto'
import type { Bench } from './bench.ts'
import { Shelf } from './bench.ts'
import { startFront, type Asked, type Reply } from './front.ts'

const said = (status: number, message: string): Reply => ({
  status,
  body: { messages: [message], success: false },
})

/** A config has no rights of single secrets: the whole of it is forbidden with `forbid`. */
export const startDoppler = async (): Promise<Bench & { readonly unchanged: () => number }> => {
  const shelf = new Shelf()
  let unchanged = 0
  let isForbidden = false
  const standIn = ({ path, query, headers }: Asked): Reply => {
    if (headers.authorization !== 'Bearer good-service-token')
      return said(401, 'Invalid Service token')
    if (path === '/v3/me') {
      const workplace = { name: 'Shop Ltd', slug: 'shop' }
      return { status: 200, body: { type: 'service_token', name: 'stagely', workplace } }
    }
    if (query.get('project') !== 'shop' || query.get('config') !== 'prd')
      return said(404, 'Could not find requested config')
    if (isForbidden) return said(403, 'This token may not read this config')
    const secrets = Object.fromEntries([
      ['DOPPLER_PROJECT', 'shop'],
      ['DOPPLER_CONFIG', 'prd'],
      ['DOPPLER_ENVIRONMENT', 'prd'],
      ...shelf.keys.map((key) => [key, JSON.stringify(shelf.values(key)!.at(-1))]),
    ]) as Record<string, string>
    const etag = `"${createHash('sha256').update(JSON.stringify(secrets)).digest('hex')}"`
    if (headers['if-none-match'] !== etag) return { status: 200, body: secrets, headers: { etag } }
    unchanged += 1
    return { status: 304, headers: { etag } }
  }
  const front = await startFront(standIn)
  return {
    front,
    unchanged: () => unchanged,
    spec: ({ ca = true } = {}) => ({
      doppler: {
        address: front.url,
        project: 'shop',
        config: 'prd',
        ...(ca ? { caBundle: front.ca } : {}),
      },
    }),
    credential: 'good-service-token',
    wrongCredential: 'wrong-service-token',
    identity: 'service token stagely of Shop Ltd',
    key: (name) => name.toUpperCase().replaceAll('-', '_'),
    put: (key, fields) => {
      shelf.put(key, fields)
      return Promise.resolve(JSON.stringify(fields))
    },
    remove: shelf.hands().remove,
    forbid: () => {
      isForbidden = true
      return Promise.resolve()
    },
    allowAll: () => {
      isForbidden = false
    },
    olderVersion: undefined,
    noVersion: '99',
    close: () => front.close(),
  }
}
