// Google Cloud Secret Manager, as its documents describe it. It checks signatures.
import { generateKeyPairSync, verify } from 'node:crypto'
import type { Bench } from './bench.ts'
import { Shelf } from './bench.ts'
import { startFront, type Asked, type Reply } from './front.ts'

const said = (code: number, status: string): Reply => ({
  status: code,
  body: { error: { code, status, message: 'no' } },
})
const newKey = () =>
  generateKeyPairSync('rsa', {
    // Made in a tenth of the time of 2048 bits; nothing here is hidden.
    modulusLength: 1024,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
const email = 'stagely@shop.iam.gserviceaccount.com'

export const startGcp = async (): Promise<
  Bench & { readonly states: Map<string, string>; readonly claims: Record<string, unknown>[] }
> => {
  const shelf = new Shelf()
  const states = new Map<string, string>()
  const claims: Record<string, unknown>[] = []
  const [good, wrong] = [newKey(), newKey()]
  const isSigned = (authorization = ''): boolean => {
    const [head = '', body = '', signature = ''] = authorization.replace('Bearer ', '').split('.')
    const bytes = Buffer.from(signature, 'base64url')
    if (!verify('RSA-SHA256', Buffer.from(`${head}.${body}`), good.publicKey, bytes)) return false
    claims.push(JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>)
    return true
  }
  const standIn = ({ path, headers }: Asked): Reply => {
    if (!isSigned(headers.authorization)) return said(401, 'UNAUTHENTICATED')
    const [, key, asked, isAccess] =
      /^\/v1\/projects\/shop\/secrets(?:\/([^/]+)\/versions\/([^:]+)(:access)?)?$/.exec(path) ?? []
    if (key === undefined) {
      const secrets = shelf.keys.map((one) => ({ name: `projects/1/secrets/${one}` }))
      return { status: 200, body: { secrets } }
    }
    if (shelf.isForbidden(key)) return said(403, 'PERMISSION_DENIED')
    const values = shelf.values(key)
    const number = asked === 'latest' ? values?.length : Number(asked)
    const value = number === undefined ? undefined : values?.[number - 1]
    if (value === undefined) return said(404, 'NOT_FOUND')
    const name = `projects/1/secrets/${key}/versions/${number}`
    const state = states.get(`${key}/${number}`) ?? 'ENABLED'
    if (isAccess === undefined)
      return { status: 200, body: { name, createTime: '2026-11-28T12:00:00.1Z', state } }
    if (state !== 'ENABLED') return said(400, 'FAILED_PRECONDITION')
    const data = Buffer.from(JSON.stringify(value)).toString('base64')
    return { status: 200, body: { name, payload: { data, dataCrc32c: '1' } } }
  }
  const front = await startFront(standIn)
  const keyFile = (key: string): string =>
    JSON.stringify({
      type: 'service_account',
      client_email: email,
      private_key_id: 'key-1',
      private_key: key,
    })
  return {
    front,
    states,
    claims,
    spec: ({ ca = true } = {}) => ({
      gcp: { projectId: 'shop', endpoint: front.url, ...(ca ? { caBundle: front.ca } : {}) },
    }),
    credential: keyFile(good.privateKey),
    wrongCredential: keyFile(wrong.privateKey),
    identity: email,
    key: (name) => `shop-${name}`,
    put: (key, fields) => {
      shelf.put(key, fields)
      return Promise.resolve(JSON.stringify(fields))
    },
    ...shelf.hands(),
    olderVersion: (key) => String((shelf.values(key) ?? []).length - 1),
    noVersion: '99',
    close: () => front.close(),
  }
}
