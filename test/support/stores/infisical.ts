// Infisical, as its documents describe it.
import type { Bench } from './bench.ts'
import { Shelf } from './bench.ts'
import { startFront, type Asked, type Reply } from './front.ts'

const said = (statusCode: number, error: string): Reply => ({
  status: statusCode,
  body: { reqId: 'req-1', statusCode, message: 'no', error },
})

export const startInfisical = async (): Promise<
  Bench & { readonly tokens: Set<string>; readonly imported: Map<string, string> }
> => {
  const shelf = new Shelf()
  const tokens = new Set<string>()
  const imported = new Map<string, string>()
  const folders = ['/', '/shop', '/hidden', '/none']
  const split = (key: string): [string, string] => {
    const at = key.lastIndexOf('/')
    return [at <= 0 ? '/' : key.slice(0, at), key.slice(at + 1)]
  }
  const secretOf = (key: string) => {
    const [secretPath, secretKey] = split(key)
    const values = shelf.values(key)!
    const secretValue = values.at(-1)!['value'] ?? JSON.stringify(values.at(-1))
    return { id: key, secretKey, secretValue, secretPath, version: values.length, type: 'shared' }
  }
  const listing = (query: URLSearchParams): Reply => {
    const path = query.get('secretPath') ?? '/'
    if (query.get('projectId') !== 'project-1' || query.get('environment') !== 'prod')
      return said(404, 'NotFound')
    if (path === '/hidden') return said(403, 'PermissionDenied')
    if (!folders.includes(path)) return said(404, 'NotFound')
    const isIn = (key: string): boolean =>
      query.get('recursive') === 'true' ? key.startsWith(path) : split(key)[0] === path
    const isHidden = query.get('viewSecretValue') !== 'true'
    const secrets = shelf.keys
      .filter(isIn)
      .map(secretOf)
      .map((secret) =>
        isHidden
          ? { ...secret, secretValue: '<hidden-by-infisical>', secretValueHidden: true }
          : secret,
      )
    const imports = [...imported].map(([secretKey, secretValue]) => ({ secretKey, secretValue }))
    return { status: 200, body: { secrets, imports: [{ secretPath: '/x', secrets: imports }] } }
  }
  const standIn = ({ path, query, headers, body }: Asked): Reply => {
    if (path === '/api/v1/auth/universal-auth/login') {
      if (body['clientSecret'] !== 'good-client-secret') return said(401, 'UnauthorizedError')
      const accessToken = `token-${tokens.size + 1}`
      tokens.add(accessToken)
      return { status: 200, body: { accessToken, expiresIn: 7_200, tokenType: 'Bearer' } }
    }
    const token = String(headers.authorization).replace('Bearer ', '')
    if (!tokens.has(token)) return said(401, 'TokenError')
    return path === '/api/v4/secrets' ? listing(query) : said(404, 'NotFound')
  }
  const front = await startFront(standIn)
  return {
    front,
    tokens,
    imported,
    spec: ({ ca = true } = {}) => ({
      infisical: {
        address: front.url,
        projectId: 'project-1',
        environment: 'prod',
        clientId: 'client-1',
        ...(ca ? { caBundle: front.ca } : {}),
      },
    }),
    credential: 'good-client-secret',
    wrongCredential: 'wrong-client-secret',
    identity: 'the machine identity with client ID client-1',
    key: (name) => (name === 'hidden' ? '/hidden/hidden' : `/shop/${name}`),
    put: (key, fields) => {
      shelf.put(key, fields)
      return Promise.resolve(JSON.stringify(fields))
    },
    ...shelf.hands(),
    olderVersion: undefined,
    noVersion: '99',
    close: () => front.close(),
  }
}
